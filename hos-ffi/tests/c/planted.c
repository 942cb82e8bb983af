/* Reads an answer after it was freed: what a detector of such faults must find. */
#include "hos.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    hos_buffer out = {0};
    uint64_t engine = 0;
    if (argc < 2 || hos_open("", 0, &engine, &out) == HOS_ALLOWED) return 1;
    const char *kept = out.data;
    hos_free(&out);
    printf("%s\n", argv[1]);
    return kept[0] == '{' ? 0 : 2;
}
