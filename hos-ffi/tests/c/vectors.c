/* Takes calls from standard input and says what came of them: see hos-testkit/examples/vectors/native.rs. */
#include "hos.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hos_buffer out;

static const char *name_of(hos_status status) {
    switch (status) {
    case HOS_REFUSED: return "refused";
    case HOS_ALLOWED: return "allowed";
    case HOS_CALL: return "call";
    case HOS_CLOSED: return "closed";
    case HOS_LAW: return "law";
    case HOS_STORE: return "store";
    case HOS_RETRY: return "retry";
    case HOS_UNKNOWN: return "unknown";
    case HOS_ABSENT: return "absent";
    case HOS_INTERNAL: return "internal";
    }
    return "none";
}

static void say(hos_status status) {
    printf("%s %zu\n", name_of(status), out.len);
    fwrite(out.data, 1, out.len, stdout);
    fflush(stdout);
}

/* As many bytes as are wanted, in memory of exactly that size, so that a read beyond them is found. */
static hos_text text(size_t len) {
    char *data = len ? malloc(len) : NULL;
    if (len && (!data || fread(data, 1, len, stdin) != len)) exit(3);
    return (hos_text){data, len};
}

int main(void) {
    uint64_t engine = 0;
    char line[256], verb[8];
    size_t n[7];
    if (hos_abi_version() != HOS_ABI_VERSION) return 2;
    while (fgets(line, sizeof line, stdin)) {
        memset(n, 0, sizeof n);
        int read = sscanf(line, "%7s %zu %zu %zu %zu %zu %zu %zu", verb, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6);
        if (read < 1) return 4;
        hos_text t[7];
        for (int i = 0; i < 7; i++) t[i] = text(n[i]);
        if (!strcmp(verb, "open")) {
            say(hos_open(t[0].data, t[0].len, &engine, &out));
        } else if (!strcmp(verb, "try")) {
            uint64_t other = 0;
            hos_status status = hos_open(t[0].data, t[0].len, &other, &out);
            say(status == HOS_ALLOWED ? hos_close(other, &out) : status);
        } else if (!strcmp(verb, "close")) {
            say(hos_close(engine, &out));
        } else if (!strcmp(verb, "call")) {
            say(hos_call(engine, t[0].data, t[0].len, t[1].data, t[1].len, &out));
        } else if (!strcmp(verb, "can")) {
            hos_question question = {t[0], t[1], t[2], t[3], t[4], t[5], t[6]};
            hos_status quiet = hos_can(engine, &question, NULL);
            hos_status status = hos_can(engine, &question, &out);
            /* Without a buffer the status is the same. */
            say(quiet == status ? status : (hos_status)99);
        } else {
            return 5;
        }
        for (int i = 0; i < 7; i++) free((void *)t[i].data);
    }
    hos_free(&out);
    return 0;
}
