enum hos_status
 {
    HOS_REFUSED = 0,
    HOS_ALLOWED = 1,
    HOS_NEED = 2,
    HOS_CALL = -1,
    HOS_CLOSED = -2,
    HOS_LAW = -3,
    HOS_STORE = -4,
    HOS_RETRY = -5,
    HOS_UNKNOWN = -6,
    HOS_ABSENT = -7,
    HOS_INTERNAL = -8,
};
typedef int32_t hos_status;
typedef struct {
    char *data;
    size_t len;
    size_t room;
} hos_buffer;
typedef struct {
    const char *data;
    size_t len;
} hos_text;
typedef struct {
    hos_text tenant;
    hos_text principal_type;
    hos_text principal_id;
    hos_text action;
    hos_text resource_type;
    hos_text resource_id;
    hos_text beside;
} hos_question;
uint32_t hos_abi_version(void);
const char *hos_version(void);
hos_status hos_open(const char *options,
                    size_t options_len,
                    uint64_t *engine,
                    hos_buffer *out);
hos_status hos_open_shared(const char *options,
                           size_t options_len,
                           uint64_t *engine,
                           hos_buffer *out);
hos_status hos_open_joined(const char *options,
                           size_t options_len,
                           uint64_t *engine,
                           hos_buffer *out);
hos_status hos_close(uint64_t engine,
                     hos_buffer *out);
hos_status hos_call(uint64_t engine,
                    const char *operation,
                    size_t operation_len,
                    const char *call,
                    size_t call_len,
                    hos_buffer *out);
hos_status hos_step(uint64_t engine,
                    const char *operation,
                    size_t operation_len,
                    int32_t inside,
                    const char *json,
                    size_t json_len,
                    hos_buffer *out);
hos_status hos_can(uint64_t engine,
                   const hos_question *question,
                   hos_buffer *out);
void hos_free(hos_buffer *buffer);
