/* A library of another version of the C ABI: it has the function that says so, and nothing else. */
unsigned hos_abi_version(void) { return 2; }
