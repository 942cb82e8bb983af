/* A thread that makes one call after the other, so that a fork meets a call under way. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct buffer {
    char *data;
    size_t len, room;
};
typedef int32_t call_fn(uint64_t, const char *, size_t, const char *, size_t, struct buffer *);

static call_fn *make_call;
static uint64_t engine;
static char tenant[64];
static volatile int stop;
static long calls, failed;
static pthread_t thread;

static void *work(void *unused) {
    (void)unused;
    for (long n = 0; !stop; n++) {
        char json[512];
        struct buffer out = {0};
        int len = snprintf(json, sizeof json,
                           "{\"tenant\":\"%s\",\"principal\":{\"type\":\"Pazar::Account\",\"id\":\"ayse\"},\"contract\":\"order\","
                           "\"id\":\"busy-%ld\",\"event\":\"place\",\"facts\":{\"buyer\":{\"__entity\":{\"type\":\"Pazar::Account\","
                           "\"id\":\"ayse\"}},\"shop\":{\"__entity\":{\"type\":\"Pazar::Shop\",\"id\":\"s1\"}},\"total\":1}}",
                           tenant, n);
        if (make_call(engine, "begin", 5, json, (size_t)len, &out) != 1) {
            if (failed++ == 0) fprintf(stderr, "%.*s\n", (int)out.len, out.data ? out.data : "");
        }
        calls++;
    }
    return NULL;
}

int busy_start(const char *library, uint64_t number, const char *name) {
    void *hos = dlopen(library, RTLD_LAZY);
    if (hos == NULL) return -1;
    make_call = (call_fn *)dlsym(hos, "hos_call");
    engine = number;
    strncpy(tenant, name, sizeof tenant - 1);
    return make_call == NULL ? -1 : pthread_create(&thread, NULL, work, NULL);
}

long busy_calls(void) { return calls; }

/* Ends it and says how many of its calls were not answered by yes. */
long busy_stop(void) {
    stop = 1;
    pthread_join(thread, NULL);
    return failed;
}
