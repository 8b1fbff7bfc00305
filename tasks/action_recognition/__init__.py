"""Action recognition with MMAction2."""
