/* A stand-in for NVIDIA's libnvidia-ml.so.1, for tests: GPUs that draw a known power.
 *
 * The file named by NVML_STAND_IN holds lines of a key and its values; see state.py, which writes
 * it. It is read again whenever it changes, so a test can lose a GPU or raise a limit while the
 * real nvidia-ml-py, CodeCarbon and the suite read through ctypes. Times are seconds of
 * CLOCK_MONOTONIC, after `begin_s`. A power limit that is set is a line of the file with `.limits`
 * behind its name, for all processes: the last line of a board counts.
 */
#define _GNU_SOURCE
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
       GPU_IS_LOST = 15, UNKNOWN = 999 };
enum { MAX_GPUS = 16, MAX_POINTS = 512, MAX_ERRORS = 16, MAX_PIDS = 8, MAX_SLICES = 8 };

typedef struct { double at_s, watts; } Point;
typedef struct { char function[64]; int code; } Error;
typedef struct { char uuid[96]; } Slice;
typedef struct {
    char uuid[96], name[96];
    Point trace[MAX_POINTS];
    int num_points;
    double period_s, duty, lag_s, latency_s, limit_w, min_limit_w, max_limit_w, lost_at_s, reset_at_s, stalls_at_s;
    double wave_s, wave_low_w, wave_high_w; /* a square wave, in place of the trace */
    int counter, fields, mig, temperature_c, clock_mhz, throttle;
    unsigned pids[MAX_PIDS];
    int num_pids;
    Slice slices[MAX_SLICES];
    int num_slices;
    Error errors[MAX_ERRORS];
    int num_errors;
} Gpu;
typedef struct { unsigned field, scope; long long timestamp, latency; unsigned kind, code;
                 union { double d; unsigned u; unsigned long long ull; } value; } FieldValue;
typedef struct { unsigned pid; unsigned long long memory; unsigned gpu, compute; } Process;

static Gpu gpus[MAX_GPUS];
static int num_gpus, init_error;
static double begin_s;
static char driver[64];
static struct timespec read_at;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9 - begin_s;
}

static void add_gpu(void) {
    Gpu *gpu = &gpus[num_gpus++];
    memset(gpu, 0, sizeof *gpu);
    gpu->period_s = 0.1; gpu->duty = 1; gpu->limit_w = gpu->max_limit_w = 400; gpu->min_limit_w = 100; gpu->counter = gpu->fields = 1;
    gpu->lost_at_s = gpu->reset_at_s = gpu->stalls_at_s = HUGE_VAL;
    gpu->mig = -1; gpu->temperature_c = 50; gpu->clock_mhz = 1410;
}

static void take(const char *key, char *rest) {
    Gpu *gpu = num_gpus ? &gpus[num_gpus - 1] : NULL;
    if (!strcmp(key, "begin_s")) begin_s = atof(rest);
    else if (!strcmp(key, "driver")) snprintf(driver, sizeof driver, "%s", rest);
    else if (!strcmp(key, "init_error")) init_error = atoi(rest);
    else if (!strcmp(key, "gpu")) { if (num_gpus < MAX_GPUS) add_gpu(); }
    else if (!gpu) return;
    else if (!strcmp(key, "uuid")) snprintf(gpu->uuid, sizeof gpu->uuid, "%s", rest);
    else if (!strcmp(key, "name")) snprintf(gpu->name, sizeof gpu->name, "%s", rest);
    else if (!strcmp(key, "trace")) {
        Point *p = &gpu->trace[gpu->num_points];
        if (gpu->num_points < MAX_POINTS && sscanf(rest, "%lf %lf", &p->at_s, &p->watts) == 2)
            gpu->num_points++;
    }
    else if (!strcmp(key, "wave"))
        sscanf(rest, "%lf %lf %lf", &gpu->wave_s, &gpu->wave_low_w, &gpu->wave_high_w);
    else if (!strcmp(key, "period_s")) gpu->period_s = atof(rest);
    else if (!strcmp(key, "duty")) gpu->duty = atof(rest);
    else if (!strcmp(key, "lag_s")) gpu->lag_s = atof(rest);
    else if (!strcmp(key, "latency_s")) gpu->latency_s = atof(rest);
    else if (!strcmp(key, "limit_w")) gpu->limit_w = atof(rest);
    else if (!strcmp(key, "min_limit_w")) gpu->min_limit_w = atof(rest);
    else if (!strcmp(key, "max_limit_w")) gpu->max_limit_w = atof(rest);
    else if (!strcmp(key, "lost_at_s")) gpu->lost_at_s = atof(rest);
    else if (!strcmp(key, "reset_at_s")) gpu->reset_at_s = atof(rest);
    else if (!strcmp(key, "stalls_at_s")) gpu->stalls_at_s = atof(rest);
    else if (!strcmp(key, "counter")) gpu->counter = atoi(rest);
    else if (!strcmp(key, "fields")) gpu->fields = atoi(rest);
    else if (!strcmp(key, "mig")) gpu->mig = atoi(rest);
    else if (!strcmp(key, "temperature_c")) gpu->temperature_c = atoi(rest);
    else if (!strcmp(key, "clock_mhz")) gpu->clock_mhz = atoi(rest);
    else if (!strcmp(key, "throttle")) gpu->throttle = atoi(rest);
    else if (!strcmp(key, "pid")) { if (gpu->num_pids < MAX_PIDS) gpu->pids[gpu->num_pids++] = atoi(rest); }
    else if (!strcmp(key, "slice")) {
        if (gpu->num_slices < MAX_SLICES)
            snprintf(gpu->slices[gpu->num_slices++].uuid, sizeof(Slice), "%s", rest);
    }
    else if (!strcmp(key, "error") && gpu->num_errors < MAX_ERRORS) {
        Error *e = &gpu->errors[gpu->num_errors];
        if (sscanf(rest, "%63s %d", e->function, &e->code) == 2) gpu->num_errors++;
    }
}

/* Read the state file if it has changed. The handles of GPUs stay valid: they are places. */
static void refresh(void) {
    const char *path = getenv("NVML_STAND_IN");
    struct stat info;
    if (!path || stat(path, &info)) return;
    pthread_mutex_lock(&lock);
    if (info.st_mtim.tv_sec != read_at.tv_sec || info.st_mtim.tv_nsec != read_at.tv_nsec) {
        FILE *stream = fopen(path, "r");
        char line[512];
        num_gpus = init_error = 0;
        read_at = info.st_mtim;
        while (stream && fgets(line, sizeof line, stream)) {
            char key[64];
            int used = 0;
            line[strcspn(line, "\n")] = 0;
            if (sscanf(line, "%63s %n", key, &used) == 1) take(key, line + used);
        }
        if (stream) fclose(stream);
    }
    pthread_mutex_unlock(&lock);
}

static double watts_at(const Gpu *gpu, double t) {
    if (gpu->wave_s > 0)
        return fmod(t, gpu->wave_s) < gpu->wave_s / 2 ? gpu->wave_low_w : gpu->wave_high_w;
    double watts = gpu->num_points ? gpu->trace[0].watts : 0;
    for (int i = 0; i < gpu->num_points && gpu->trace[i].at_s <= t; i++) watts = gpu->trace[i].watts;
    return watts;
}

/* Joules truly drawn from second 0 to t. */
static double joules_at(const Gpu *gpu, double t) {
    if (t <= 0) return 0;
    if (gpu->wave_s > 0) {
        double half = gpu->wave_s / 2, whole = floor(t / gpu->wave_s), rest = t - whole * gpu->wave_s;
        double joules = whole * half * (gpu->wave_low_w + gpu->wave_high_w);
        return joules + fmin(rest, half) * gpu->wave_low_w + fmax(0, rest - half) * gpu->wave_high_w;
    }
    double joules = 0;
    for (int i = 0; i < gpu->num_points; i++) {
        double from = i ? gpu->trace[i].at_s : 0;
        double to = i + 1 < gpu->num_points ? gpu->trace[i + 1].at_s : t;
        if (from < t) joules += gpu->trace[i].watts * (fmin(to, t) - from);
    }
    return joules;
}

/* What the board's counter shows at t: ticks, looks that see a part of each period, and lag. */
static double counted_at(const Gpu *gpu, double t) {
    double seen = 0, tick = floor(fmin(t, gpu->stalls_at_s) / gpu->period_s);
    if (gpu->duty >= 1) return joules_at(gpu, tick * gpu->period_s - gpu->lag_s);
    for (double k = 0; k < tick; k++) {
        double from = k * gpu->period_s - gpu->lag_s;
        seen += (joules_at(gpu, from + gpu->duty * gpu->period_s) - joules_at(gpu, from)) / gpu->duty;
    }
    return seen;
}

static void wait_latency(const Gpu *gpu) {
    struct timespec t = { 0, (long)(gpu->latency_s * 1e9) };
    if (gpu->latency_s > 0) nanosleep(&t, NULL);
}

static Gpu *board(void *handle) {
    size_t place = (size_t)handle;
    return place >= 1 && place <= (size_t)num_gpus ? &gpus[place - 1] : NULL;
}

/* 0 where the function may answer for this board. */
static int trouble(Gpu *gpu, const char *function) {
    refresh();
    if (!gpu) return INVALID_ARGUMENT;
    wait_latency(gpu);
    if (now_s() >= gpu->lost_at_s) return GPU_IS_LOST;
    for (int i = 0; i < gpu->num_errors; i++)
        if (!strcmp(gpu->errors[i].function, function)) return gpu->errors[i].code;
    return SUCCESS;
}
#define ASK(handle) Gpu *gpu = board(handle); int code = trouble(gpu, __func__); if (code) return code

int nvmlInitWithFlags(unsigned flags) { (void)flags; refresh(); return init_error; }
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { (void)code; return "an error of the stand-in"; }

int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    refresh();
    snprintf(text, size, "%s", driver);
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned *count) { refresh(); *count = num_gpus; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    refresh();
    if ((int)index >= num_gpus) return INVALID_ARGUMENT;
    *handle = (void *)(size_t)(index + 1);
    ASK(*handle);
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **handle) {
    refresh();
    for (int i = 0; i < num_gpus; i++)
        if (!strcmp(gpus[i].uuid, uuid)) return nvmlDeviceGetHandleByIndex_v2(i, handle);
    return NOT_FOUND;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) {
    size_t place = (size_t)handle;
    if (place > 1000) { /* a MIG instance: board x 1000 + place in it */
        snprintf(text, size, "%s", gpus[place / 1000 - 1].slices[place % 1000].uuid);
        return SUCCESS;
    }
    ASK(handle);
    snprintf(text, size, "%s", gpu->uuid);
    return SUCCESS;
}

int nvmlDeviceGetName(void *handle, char *text, unsigned size) {
    ASK(handle); snprintf(text, size, "%s", gpu->name); return SUCCESS;
}

static FILE *limits(const char *mode) {
    const char *path = getenv("NVML_STAND_IN");
    char name[512];
    snprintf(name, sizeof name, "%s.limits", path ? path : "");
    return fopen(name, mode);
}

static double limit_w(const Gpu *gpu) {
    double watts = gpu->limit_w, other;
    char uuid[96];
    FILE *stream = limits("r");
    while (stream && fscanf(stream, "%95s %lf", uuid, &other) == 2)
        if (!strcmp(uuid, gpu->uuid)) watts = other;
    if (stream) fclose(stream);
    return watts;
}

int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *milliwatts) {
    ASK(handle); *milliwatts = (unsigned)(limit_w(gpu) * 1000); return SUCCESS;
}

int nvmlDeviceGetPowerManagementLimit(void *handle, unsigned *milliwatts) {
    ASK(handle); *milliwatts = (unsigned)(limit_w(gpu) * 1000); return SUCCESS;
}

int nvmlDeviceGetPowerManagementLimitConstraints(void *handle, unsigned *least, unsigned *most) {
    ASK(handle);
    *least = (unsigned)(gpu->min_limit_w * 1000);
    *most = (unsigned)(gpu->max_limit_w * 1000);
    return SUCCESS;
}

int nvmlDeviceSetPowerManagementLimit(void *handle, unsigned milliwatts) {
    ASK(handle);
    double watts = milliwatts / 1000.0;
    if (watts < gpu->min_limit_w || watts > gpu->max_limit_w) return INVALID_ARGUMENT;
    FILE *stream = limits("a");
    if (!stream) return UNKNOWN;
    fprintf(stream, "%s %g\n", gpu->uuid, watts);
    fclose(stream);
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *millijoules) {
    ASK(handle);
    if (!gpu->counter) return NOT_SUPPORTED;
    double t = now_s(), joules = counted_at(gpu, t);
    if (t >= gpu->reset_at_s) joules -= counted_at(gpu, gpu->reset_at_s);
    *millijoules = (unsigned long long)((joules + (t >= gpu->reset_at_s ? 0 : 1e6)) * 1000);
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *handle, unsigned *milliwatts) {
    ASK(handle); *milliwatts = (unsigned)(watts_at(gpu, now_s()) * 1000); return SUCCESS;
}

int nvmlDeviceGetFieldValues(void *handle, int count, FieldValue *values) {
    ASK(handle);
    double t = now_s(), from = fmax(0, t - 1);
    for (int i = 0; i < count; i++) {
        values[i].code = gpu->fields ? SUCCESS : NOT_SUPPORTED;
        if (values[i].field == 185)
            values[i].value.u = (unsigned)((joules_at(gpu, t) - joules_at(gpu, from)) / (t - from) * 1000);
        else if (values[i].field == 186) values[i].value.u = (unsigned)(watts_at(gpu, t) * 1000);
        else values[i].code = NOT_SUPPORTED;
    }
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *handle, unsigned *now, unsigned *later) {
    ASK(handle);
    if (gpu->mig < 0) return NOT_SUPPORTED;
    *now = *later = gpu->mig;
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    ASK(handle); *count = gpu->num_slices; return SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **slice) {
    ASK(handle);
    if ((int)index >= gpu->num_slices) return NOT_FOUND;
    *slice = (void *)((size_t)handle * 1000 + index);
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, Process *processes) {
    ASK(handle);
    int room = processes ? (int)*count : 0;
    *count = gpu->num_pids;
    if (room < gpu->num_pids) return INSUFFICIENT_SIZE;
    for (int i = 0; i < gpu->num_pids; i++) processes[i] = (Process){ gpu->pids[i], 1 << 20, 0, 0 };
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, Process *processes) {
    ASK(handle); (void)processes; *count = 0; return SUCCESS;
}

int nvmlDeviceGetClockInfo(void *handle, int kind, unsigned *mhz) {
    ASK(handle); (void)kind; *mhz = gpu->clock_mhz; return SUCCESS;
}

int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *celsius) {
    ASK(handle); (void)sensor; *celsius = gpu->temperature_c; return SUCCESS;
}

int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, unsigned long long *reasons) {
    ASK(handle); *reasons = gpu->throttle; return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(void *handle, unsigned long long *total_free_used) {
    ASK(handle);
    total_free_used[0] = 40ULL << 30; total_free_used[1] = 30ULL << 30; total_free_used[2] = 10ULL << 30;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *handle, unsigned *gpu_memory) {
    ASK(handle); gpu_memory[0] = 90; gpu_memory[1] = 50; return SUCCESS;
}

int nvmlDeviceGetComputeMode(void *handle, unsigned *mode) { ASK(handle); *mode = 0; return SUCCESS; }
