# MoViNet-A0-Base on Kinetics-400, from scratch: 50 frames at 5 per second, 172 x 172, one view.
# Kondratyuk 2021, section 4.1 and appendix: RMSProp with momentum 0.9, cosine schedule, 240 epochs.
# The learning rate is the paper's 1.8 for batches of 1,024 clips, scaled to 8.
_base_ = "mmaction::_base_/default_runtime.py"

custom_imports = dict(imports=["tasks.action_recognition.movinet"], allow_failed_imports=False)

model = dict(
    type="Recognizer3D",
    backbone=dict(type="MoViNetA0"),
    cls_head=dict(
        type="MoViNetHead",
        num_classes=400,
        label_smooth_eps=0.1,
        average_clips="prob",
    ),
    data_preprocessor=dict(
        type="ActionDataPreprocessor",
        mean=[0.0, 0.0, 0.0],
        std=[255.0, 255.0, 255.0],
        format_shape="NCTHW",
    ),
)

train_pipeline = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=50, frame_interval=6, num_clips=1),
    dict(type="DecordDecode"),
    dict(type="RandomResizedCrop", area_range=(0.08, 1.0)),
    dict(type="Resize", scale=(172, 172), keep_ratio=False),
    dict(type="Flip", flip_ratio=0.5),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]
test_pipeline = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=50, frame_interval=6, num_clips=1, test_mode=True),
    dict(type="DecordDecode"),
    dict(type="Resize", scale=(-1, 172)),
    dict(type="CenterCrop", crop_size=172),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs"),
]
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="VideoDataset",
        ann_file="data/kinetics400/kinetics400_train_list_videos.txt",
        data_prefix=dict(video="data/kinetics400/videos_train"),
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=8,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="VideoDataset",
        ann_file="data/kinetics400/kinetics400_val_list_videos.txt",
        data_prefix=dict(video="data/kinetics400/videos_val"),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(type="AccMetric")
train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=240)
test_cfg = dict(type="TestLoop")
optim_wrapper = dict(
    optimizer=dict(type="RMSprop", lr=1.8 * 8 / 1024, alpha=0.9, momentum=0.9, weight_decay=3e-5)
)
param_scheduler = [dict(type="CosineAnnealingLR", T_max=240, by_epoch=True, end=240)]
