/* What the C ABI promises, as a C program sees it. Arguments: a store with the tenant `lamps`; `short`: few repetitions,
   `alone`: few, and no forks. */
#include "hos.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int checks = 0;
static hos_buffer out = {0};

#define CHECK(holds) check((holds), #holds, __LINE__)

static void check(int holds, const char *what, int line) {
    checks += 1;
    if (holds) return;
    fprintf(stderr, "abi.c:%d: does not hold: %s\nthe last answer: %s\n", line, what, out.data == NULL ? "none" : out.data);
    _exit(1);
}

static int says(const char *word) { return out.data != NULL && strlen(out.data) == out.len && strstr(out.data, word) != NULL; }

static hos_status call(uint64_t engine, const char *operation, const char *json) {
    return hos_call(engine, operation, strlen(operation), json, strlen(json), &out);
}

static uint64_t open_store(const char *store, hos_status *status) {
    char options[4096];
    uint64_t engine = 77;
    snprintf(options, sizeof options, "{\"store\":\"%s\"}", store);
    *status = hos_open(options, strlen(options), &engine, &out);
    return engine;
}

static hos_text text(const char *word) {
    hos_text it = {word, strlen(word)};
    return it;
}

static hos_question see(const char *who, const char *beside) {
    hos_question q = {text("lamps"), text("S::Account"), text(who), text("lamp.see"), text("S::Lamp"), text("l-1"), text(beside)};
    return q;
}

#define OWNED "\"given\":[{\"uid\":{\"type\":\"S::Lamp\",\"id\":\"l-1\"},\"attrs\":{\"owner\":{\"__entity\":{\"type\":\"S::Account\",\"id\":\"ayse\"}},\"state\":\"off\"}}]"
#define BY "\"tenant\":\"lamps\",\"principal\":{\"type\":\"S::Account\",\"id\":\"ayse\"}"

static void opening(const char *store) {
    uint64_t engine = 5;
    hos_status status;
    CHECK(hos_abi_version() == HOS_ABI_VERSION);
    CHECK(strchr(hos_version(), '.') != NULL);
    CHECK(hos_open("{}", 2, &engine, &out) == HOS_CALL && engine == 0 && says("hos.call_malformed"));
    CHECK(hos_open(NULL, 9, &engine, &out) == HOS_CALL && engine == 0);
    CHECK(hos_open("{}", 2, NULL, &out) == HOS_CALL);
    CHECK(hos_open("{\"store\":\"\xff\"}", 13, &engine, &out) == HOS_CALL);
    CHECK(open_store("/nowhere/at/all.db", &status) == 0 && status == HOS_STORE && says("hos.store_unavailable"));
    engine = open_store(store, &status);
    CHECK(status == HOS_ALLOWED && engine != 0);
    CHECK(hos_close(engine, &out) == HOS_ALLOWED);
    CHECK(hos_close(engine, &out) == HOS_CLOSED && says("hos.engine_closed"));
    CHECK(call(engine, "can", "{}") == HOS_CLOSED);
    CHECK(hos_close(0, NULL) == HOS_CLOSED);
    CHECK(hos_close(UINT64_MAX, NULL) == HOS_CLOSED);
}

static uint64_t open_shared(const char *store, const char *more, hos_status *status) {
    char options[4096];
    uint64_t engine = 77;
    snprintf(options, sizeof options, "{\"store\":\"%s\"%s}", store, more);
    *status = hos_open_shared(options, strlen(options), &engine, &out);
    return engine;
}

/* The engine that was opened so comes again, until it is closed; a child has one of its own. */
static void sharing(const char *store, int forks) {
    hos_status status;
    uint64_t one = open_shared(store, "", &status), other;
    CHECK(status == HOS_ALLOWED && one != 0);
    CHECK(open_shared(store, "", &status) == one && status == HOS_ALLOWED);
    other = open_store(store, &status);
    CHECK(status == HOS_ALLOWED && other != one);
    CHECK(open_shared(store, ",\"seal\":\"worker\"", &status) == 0 && status == HOS_RETRY && says("hos.store_busy"));
    CHECK(open_shared("/nowhere/at/all.db", "", &status) == 0 && status == HOS_STORE);
    for (int i = 0; i < forks; i += 1) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            uint64_t own = open_shared(store, "", &status);
            _exit(status == HOS_ALLOWED && own != one && open_shared(store, "", &status) == own && hos_close(one, NULL) == HOS_CLOSED ? 0 : 7);
        }
        int ended = 0;
        CHECK(waitpid(child, &ended, 0) == child && ended == 0);
    }
    CHECK(hos_close(one, NULL) == HOS_ALLOWED && hos_close(one, NULL) == HOS_CLOSED);
    CHECK(call(other, "can", "{") == HOS_CALL);
    CHECK(hos_close(other, NULL) == HOS_ALLOWED);
    other = open_shared(store, "", &status);
    CHECK(status == HOS_ALLOWED && other != one && hos_close(other, NULL) == HOS_ALLOWED);
}

/* A panic at each depth is an error, and the engine works on. Shipped libraries have no such operation. */
static void panicking(uint64_t engine) {
    if (call(engine, "failpoint", "{}") == HOS_CALL && says("no operation")) return;
    const char *moves[] = {"off", "on"};
    for (int i = 0; i < 2; i += 1) {
        char json[256];
        CHECK(call(engine, "failpoint", "{\"panic\":\"call\"}") == HOS_INTERNAL && says("hos.internal"));
        CHECK(call(engine, "failpoint", "{\"panic\":\"boundary\"}") == HOS_INTERNAL && says("hos.internal") && !says("planted"));
        snprintf(json, sizeof json, "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"%s\"}", moves[i]);
        CHECK(call(engine, "transition", json) == HOS_ALLOWED);
    }
}

static void calling(uint64_t engine) {
    CHECK(call(engine, "begin",
               "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"make\",\"facts\":{\"owner\":{\"__entity\":{\"type\":\"S::Account\",\"id\":\"ayse\"}}}}") == HOS_ALLOWED);
    CHECK(says("\"allowed\":true") && says("\"receipt\""));
    CHECK(call(engine, "transition", "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"on\",\"once\":\"k-1\"}") == HOS_ALLOWED);
    CHECK(call(engine, "transition", "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"on\",\"once\":\"k-1\"}") == HOS_ALLOWED && says("\"again\":true"));
    CHECK(call(engine, "transition", "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"on\"}") == HOS_REFUSED && says("hos.wrong_state"));
    CHECK(call(engine, "history", "{\"tenant\":\"lamps\",\"contract\":\"lamp\",\"id\":\"l-2\"}") == HOS_ABSENT && says("hos.instance_unknown"));
    CHECK(call(engine, "history", "{\"tenant\":\"lamps\",\"contract\":\"lamp\",\"id\":\"l-1\"}") == HOS_ALLOWED && says("\"event\":\"on\""));
    CHECK(call(engine, "cann", "{}") == HOS_CALL && says("did you mean `can`?"));
    CHECK(call(engine, "can", "[") == HOS_CALL);
    CHECK(call(engine, "can", "{\"tenant\":\"none-such\",\"principal\":{\"type\":\"S::Account\",\"id\":\"a\"},\"action\":\"lamp.see\",\"resource\":{\"type\":\"S::Lamp\",\"id\":\"l\"}}") == HOS_CALL && says("hos.tenant_unknown"));
    CHECK(hos_call(engine, "c\0n", 3, "{}", 2, &out) == HOS_CALL);
    CHECK(hos_call(engine, "\xff", 1, "{}", 2, &out) == HOS_CALL);
    CHECK(hos_call(engine, NULL, 3, "{}", 2, &out) == HOS_CALL);
    CHECK(hos_call(engine, "can", 3, NULL, 2, &out) == HOS_CALL);
    CHECK(hos_call(engine, "can", 3, "{}", SIZE_MAX, &out) == HOS_CALL && says("hos.call_too_large"));
    CHECK(hos_call(engine, "can", 3, "{\"tenant\":\"\xff\"}", 14, &out) == HOS_CALL);
    size_t len = 10 << 20;
    char *large = malloc(len);
    CHECK(large != NULL);
    memset(large, 'x', len);
    CHECK(hos_call(engine, "can", 3, large, len, &out) == HOS_CALL && says("hos.call_too_large"));
    CHECK(hos_call(engine, large, len, "{}", 2, &out) == HOS_CALL && out.len < 4096);
    hos_question q = see("ayse", "");
    q.tenant.data = large, q.tenant.len = len;
    CHECK(hos_can(engine, &q, &out) == HOS_CALL && says("hos.call_too_large"));
    free(large);
}

static void asking(uint64_t engine) {
    hos_question yes = see("ayse", "{" OWNED "}"), no = see("mehmet", "{" OWNED "}");
    CHECK(hos_can(engine, &yes, &out) == HOS_ALLOWED && says("\"allowed\":true") && says("\"policies\":[\"owner\"]"));
    CHECK(hos_can(engine, &yes, NULL) == HOS_ALLOWED);
    CHECK(hos_can(engine, &no, NULL) == HOS_REFUSED);
    CHECK(hos_can(engine, &no, &out) == HOS_REFUSED && says("hos.principal_unknown"));
    hos_question cellar = see("ayse", "{\"context\":{\"room\":\"cellar\"}," OWNED "}");
    CHECK(hos_can(engine, &cellar, &out) == HOS_REFUSED && says("hos.forbidden") && says("\"cellar\""));
    hos_question absent = see("ayse", "");
    CHECK(hos_can(engine, &absent, &out) == HOS_REFUSED && says("hos.entity_missing"));
    hos_question stray = see("ayse", "{\"tenant\":\"lamps\"}"), broken = see("ayse", "{"), list = see("ayse", "[]");
    CHECK(hos_can(engine, &stray, &out) == HOS_CALL && says("has no field `tenant`"));
    CHECK(hos_can(engine, &broken, &out) == HOS_CALL);
    CHECK(hos_can(engine, &list, &out) == HOS_CALL);
    hos_question wrong = see("ayse", "");
    wrong.principal_id.data = "a\xff", wrong.principal_id.len = 2;
    CHECK(hos_can(engine, &wrong, &out) == HOS_CALL && says("`principal_id` is not UTF-8"));
    wrong.principal_id.data = NULL;
    CHECK(hos_can(engine, &wrong, &out) == HOS_CALL);
    CHECK(hos_can(engine, NULL, &out) == HOS_CALL);
    /* The same question as JSON comes to the same answer. */
    CHECK(hos_can(engine, &cellar, &out) == HOS_REFUSED);
    char *first = strdup(out.data);
    CHECK(call(engine, "can", "{" BY ",\"action\":\"lamp.see\",\"resource\":{\"type\":\"S::Lamp\",\"id\":\"l-1\"},\"context\":{\"room\":\"cellar\"}," OWNED "}") == HOS_REFUSED);
    CHECK(strcmp(first, out.data) == 0);
    free(first);
}

static uint64_t shared_engine;
static atomic_int stop, made;

static void *keep_calling(void *nothing) {
    hos_buffer own = {0};
    int on = 0;
    while (!atomic_load(&stop)) {
        char json[256];
        snprintf(json, sizeof json, "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"%s\"}", on ? "on" : "off");
        hos_status status = hos_call(shared_engine, "transition", 10, json, strlen(json), &own);
        if (status != HOS_ALLOWED) {
            fprintf(stderr, "a move beside forks: %d %s\n", (int)status, own.data);
            _exit(1);
        }
        on = !on;
        atomic_fetch_add(&made, 1);
    }
    hos_free(&own);
    return nothing;
}

/* A child in which the parent's engine is closed, and one of its own works. */
static int in_child(const char *store) {
    hos_status status;
    if (call(shared_engine, "history", "{\"tenant\":\"lamps\",\"contract\":\"lamp\",\"id\":\"l-1\"}") != HOS_CLOSED) return 2;
    if (!says("before a fork") || hos_close(shared_engine, NULL) != HOS_CLOSED) return 3;
    uint64_t own = open_store(store, &status);
    if (status != HOS_ALLOWED) return 4;
    if (call(own, "history", "{\"tenant\":\"lamps\",\"contract\":\"lamp\",\"id\":\"l-1\"}") != HOS_ALLOWED) return 5;
    return hos_close(own, NULL) == HOS_ALLOWED ? 0 : 6;
}

static void forking(const char *store, int forks) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, keep_calling, NULL) == 0);
    for (int i = 0; i < forks; i += 1) {
        int before = atomic_load(&made);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) _exit(in_child(store));
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        if (status != 0) fprintf(stderr, "a child ended with %d, by signal %d\n", WEXITSTATUS(status), WIFSIGNALED(status));
        CHECK(status == 0);
        while (atomic_load(&made) == before) usleep(200);
    }
    atomic_store(&stop, 1);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *close_it(void *nothing) {
    hos_status *status = nothing;
    *status = hos_close(shared_engine, NULL);
    return nothing;
}

/* A call that is under way while its engine is closed ends as it would have, or finds the engine closed. */
static void closing(const char *store, int rounds) {
    for (int i = 0; i < rounds; i += 1) {
        hos_status opened, closed;
        shared_engine = open_store(store, &opened);
        CHECK(opened == HOS_ALLOWED);
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, close_it, &closed) == 0);
        for (;;) {
            hos_status status = call(shared_engine, "history", "{\"tenant\":\"lamps\",\"contract\":\"lamp\",\"id\":\"l-1\"}");
            if (status == HOS_CLOSED) break;
            CHECK(status == HOS_ALLOWED);
        }
        CHECK(pthread_join(thread, NULL) == 0 && closed == HOS_ALLOWED);
    }
}

static uint64_t open_joined(const char *options, hos_status *status) {
    uint64_t engine = 77;
    *status = hos_open_joined(options, strlen(options), &engine, &out);
    return engine;
}

static hos_status step(uint64_t engine, const char *operation, int inside, const char *json) {
    return hos_step(engine, operation, strlen(operation), inside, json, strlen(json), &out);
}

#define MOVE "{" BY ",\"contract\":\"lamp\",\"id\":\"l-1\",\"event\":\"on\",\"once\":\"k-2\"}"
#define NAMED "{\"dialect\":\"mysql\",\"places\":\"question\",\"database\":\"a\"}"

static void *keep_stepping(void *nothing) {
    uint64_t engine = *(uint64_t *)nothing;
    hos_buffer own = {0};
    for (int i = 0; i < 20; i += 1) {
        char json[64];
        hos_status status = hos_step(engine, "transition", 10, 1, MOVE, strlen(MOVE), &own);
        char *number = own.data == NULL ? NULL : strstr(own.data, "\"step\":");
        if (status != HOS_NEED || number == NULL) _exit(1);
        snprintf(json, sizeof json, "{\"step\":%ld}", strtol(number + 7, NULL, 10));
        if (hos_step(engine, "leave", 5, -1, json, strlen(json), &own) != HOS_REFUSED) _exit(1);
    }
    hos_free(&own);
    return nothing;
}

/* An engine that joins a host's transactions: what it says without any database. */
static void joining(uint64_t store, int forks) {
    hos_status status;
    CHECK(open_joined("{}", &status) == 0 && status == HOS_CALL && says("dialect"));
    CHECK(open_joined("{\"dialect\":\"mysql\",\"places\":\"question\",\"law\":\"/nowhere\"}", &status) == 0 && status == HOS_LAW);
    CHECK(hos_open_joined(NULL, 9, NULL, &out) == HOS_CALL);
    uint64_t one = open_joined("{\"dialect\":\"mysql\",\"places\":\"question\"}", &status);
    CHECK(status == HOS_ALLOWED && one != 0 && one != store);
    uint64_t other = open_joined("{\"dialect\":\"mysql\",\"places\":\"question\"}", &status);
    CHECK(status == HOS_ALLOWED && other != one);
    CHECK(hos_close(other, &out) == HOS_ALLOWED && step(other, "transition", 1, MOVE) == HOS_CLOSED && says("hos.engine_closed"));
    uint64_t named = open_joined(NAMED, &status);
    CHECK(status == HOS_ALLOWED && named != one && open_joined(NAMED, &status) == named);
    CHECK(open_joined("{\"dialect\":\"mysql\",\"places\":\"question\",\"database\":\"b\"}", &status) != named && status == HOS_ALLOWED);

    CHECK(step(one, "transition", 0, MOVE) == HOS_CALL && says("hos.no_transaction"));
    CHECK(step(one, "transition", -1, MOVE) == HOS_CALL && says("hos.no_transaction"));
    CHECK(step(one, "transition", 2, MOVE) == HOS_CALL && says("`inside`"));
    CHECK(step(one, "transition", INT32_MIN, MOVE) == HOS_CALL);
    CHECK(step(one, "transition", 1, MOVE) == HOS_NEED && says("\"step\":") && says("\"need\":[") && !says("allowed"));
    char json[64];
    snprintf(json, sizeof json, "{\"step\":%ld,\"rows\":[]}", strtol(strstr(out.data, "\"step\":") + 7, NULL, 10));
    CHECK(step(one, "go_on", -1, json) == HOS_CALL && says("hos.call_malformed") && says("DELETE FROM hos_instance"));
    CHECK(step(one, "go_on", -1, json) == HOS_CALL && says("is on its way"));
    CHECK(step(one, "go_on", 1, "{") == HOS_CALL);
    CHECK(step(one, "claim", 1, MOVE) == HOS_CALL && says("`operation`"));
    CHECK(step(one, "refused", 1, "{\"refusal\":3}") == HOS_CALL);
    CHECK(step(one, "history", 1, "{}") == HOS_CALL);
    CHECK(hos_step(one, "transition", 10, 1, MOVE, strlen(MOVE), NULL) == HOS_CALL);
    CHECK(hos_step(one, NULL, 3, 1, "{}", 2, &out) == HOS_CALL);
    CHECK(hos_step(one, "\xff", 1, 1, "{}", 2, &out) == HOS_CALL);
    CHECK(hos_step(one, "transition", 10, 1, NULL, 2, &out) == HOS_CALL);
    CHECK(hos_step(one, "transition", 10, 1, "{}", SIZE_MAX, &out) == HOS_CALL && says("hos.call_too_large"));

    /* Each kind of engine is asked in its own way. */
    hos_question q = see("ayse", "");
    CHECK(call(one, "can", "{}") == HOS_CALL && says("hos_step"));
    CHECK(hos_can(one, &q, NULL) == HOS_CALL);
    CHECK(step(store, "transition", 1, MOVE) == HOS_CALL && says("a store of its own"));

    const char *panics[] = {"{\"panic\":\"call\"}", "{\"panic\":\"boundary\"}"};
    for (int i = 0; i < 2; i += 1) {
        if (step(one, "failpoint", -1, panics[i]) == HOS_CALL && says("no operation")) break;
        CHECK(says("hos.internal") && !says("planted"));
        CHECK(step(one, "failpoint", -1, "{\"panic\":\"step\"}") == HOS_ALLOWED);
        CHECK(step(one, "transition", 1, MOVE) == HOS_INTERNAL && says("hos.internal") && says("\"settle\":[]"));
        CHECK(step(one, "transition", 1, MOVE) == HOS_NEED);
    }

    pthread_t threads[4];
    for (int i = 0; i < 4; i += 1) CHECK(pthread_create(&threads[i], NULL, keep_stepping, &one) == 0);
    for (int i = 0; i < 4; i += 1) CHECK(pthread_join(threads[i], NULL) == 0);

    for (int i = 0; i < forks; i += 1) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (step(named, "transition", 1, MOVE) != HOS_CLOSED || !says("before a fork") || hos_close(named, NULL) != HOS_CLOSED) _exit(2);
            uint64_t own = open_joined(NAMED, &status);
            _exit(status == HOS_ALLOWED && own != named && step(own, "transition", 1, MOVE) == HOS_NEED ? 0 : 3);
        }
        int ended = 0;
        CHECK(waitpid(child, &ended, 0) == child && ended == 0);
    }
    CHECK(hos_close(named, NULL) == HOS_ALLOWED && hos_close(named, NULL) == HOS_CLOSED);
    CHECK(open_joined(NAMED, &status) != named && status == HOS_ALLOWED);
    CHECK(hos_close(one, NULL) == HOS_ALLOWED);
}

static long resident_kib(void) {
    long pages = 0, ignored = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &ignored, &pages) != 2) return -1;
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void flat(uint64_t engine, int calls) {
    hos_question q = see("ayse", "{" OWNED "}");
    for (int i = 0; i < calls / 10; i += 1) CHECK(hos_can(engine, &q, &out) == HOS_ALLOWED);
    long before = resident_kib();
    for (int i = 0; i < calls; i += 1) CHECK(hos_can(engine, &q, &out) == HOS_ALLOWED);
    long after = resident_kib();
    /* Few calls are made where valgrind watches, which keeps what was freed; there it looks for leaks by itself. */
    CHECK(before > 0 && (calls < 1000 || after - before < 4096));
}

int main(int argc, char **argv) {
    int is_short = argc > 2, is_alone = is_short && strcmp(argv[2], "alone") == 0;
    if (argc < 2) return 2;
    opening(argv[1]);
    sharing(argv[1], is_alone ? 0 : 2);
    hos_status status;
    uint64_t engine = open_store(argv[1], &status);
    CHECK(status == HOS_ALLOWED);
    calling(engine);
    asking(engine);
    panicking(engine);
    flat(engine, is_short ? 200 : 100000);
    joining(engine, is_alone ? 0 : 3);
    shared_engine = engine;
    if (!is_alone) forking(argv[1], is_short ? 2 : 20);
    CHECK(hos_close(engine, &out) == HOS_ALLOWED);
    closing(argv[1], is_short ? 2 : 20);
    hos_free(&out);
    hos_free(&out);
    hos_free(NULL);
    CHECK(out.data == NULL && out.len == 0 && out.room == 0);
    printf("%d checks hold\n", checks);
    return 0;
}
