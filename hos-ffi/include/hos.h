/* The C ABI of H-OS: see spec/c-abi.md. Made from hos-ffi/src; do not edit. */

#ifndef HOS_H
#define HOS_H

#include <stddef.h>
#include <stdint.h>

// The version of this ABI. It grows when a function or a struct is no longer what it was; a caller compares it with
// `hos_abi_version()` before anything else.
#define HOS_ABI_VERSION 1

// How a call ended. Only `HOS_ALLOWED` is a yes; memory that is zero reads as a no.
enum hos_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    // The answer is no.
    HOS_REFUSED = 0,
    // The answer is yes, what was asked for is told, or it is done.
    HOS_ALLOWED = 1,
    // Of a step: it is on its way. Run what it needs, and go on with the rows. It is no yes.
    HOS_NEED = 2,
    // The call is not of its form: a pointer that is null, text that is not UTF-8, JSON that is none, an id, a value, a
    // tenant that is not there. Mend the caller.
    HOS_CALL = -1,
    // The engine is not open: never was, was closed, or was opened in another process (after a fork, open again).
    HOS_CLOSED = -2,
    // The law does not load, is not the active one, or asks for what the call lacks.
    HOS_LAW = -3,
    // The store, the key or the machine failed; nothing was stored.
    HOS_STORE = -4,
    // Nothing was stored, and the same call may be made again.
    HOS_RETRY = -5,
    // The commit ended in a way that leaves its outcome unknown; the same call under the same once-key resolves it.
    HOS_UNKNOWN = -6,
    // What the call names is not there.
    HOS_ABSENT = -7,
    // A fault inside. It is never a yes.
    HOS_INTERNAL = -8,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum hos_status hos_status;
#else
typedef int32_t hos_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where an answer is written. Begin with all zero; give the same one to call after call: it grows as needed. Freed by
// `hos_free`. Its fields are the library's: read `data` and `len`, write nothing.
typedef struct {
    // JSON in UTF-8, with a zero byte behind it; null while nothing was written.
    char *data;
    // How many bytes, without the zero byte.
    size_t len;
    // How many there is room for.
    size_t room;
} hos_buffer;

// A text of the caller: not ended by a zero byte, and read during the call only.
typedef struct {
    // UTF-8; may be null where `len` is 0.
    const char *data;
    // How many bytes.
    size_t len;
} hos_text;

// What `hos_can` is asked.
typedef struct {
    // The tenant.
    hos_text tenant;
    // The principal's type.
    hos_text principal_type;
    // The principal's id.
    hos_text principal_id;
    // The action's id in the law's namespace.
    hos_text action;
    // The resource's type.
    hos_text resource_type;
    // The resource's id.
    hos_text resource_id;
    // The call's other fields as one JSON object (`context`, `given`, `legacy`, `language`, `request`); empty: none.
    hos_text beside;
} hos_question;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the ABI that this library speaks.
uint32_t hos_abi_version(void);

// The library's own version, ended by a zero byte; never freed.
const char *hos_version(void);

// Opens an engine by options in JSON and writes its number; 0 where it fails. `HOS_ALLOWED`: it is open.
//
// # Safety
// `options` leads to `options_len` bytes; `engine` to a number; `out` is null or a buffer (`hos_buffer`).
hos_status hos_open(const char *options,
                    size_t options_len,
                    uint64_t *engine,
                    hos_buffer *out);

// As `hos_open`, but gives the number again under which this process has opened the same file so by the same options, until it is
// closed. For
// hosts that forget everything between two requests but keep the process (PHP-FPM): the engine stays open. After a fork a child
// has an engine of its own. `hos_close` closes it for everybody in the process.
//
// # Safety
// As `hos_open`.
hos_status hos_open_shared(const char *options,
                           size_t options_len,
                           uint64_t *engine,
                           hos_buffer *out);

// Opens an engine that joins a host's transactions (`spec/joined-transaction.md`) by options in JSON: it has no store of its own, no
// file and no lock, and `hos_step` is what it is asked by. Options that name a `database` lead to the same engine wherever they are
// the same in this process, with what it knows of the law and the directory; without that name each is another.
//
// # Safety
// As `hos_open`.
hos_status hos_open_joined(const char *options,
                           size_t options_len,
                           uint64_t *engine,
                           hos_buffer *out);

// Closes an engine: its number is none from here on. Calls that are under way end as they would have; the last one lets go of
// the file.
//
// # Safety
// `out` is null or a buffer.
hos_status hos_close(uint64_t engine,
                     hos_buffer *out);

// Makes a call (`spec/answer.md`): an operation's name and JSON in, JSON out.
//
// # Safety
// `operation` and `call` lead to as many bytes as is said; `out` is null or a buffer.
hos_status hos_call(uint64_t engine,
                    const char *operation,
                    size_t operation_len,
                    const char *call,
                    size_t call_len,
                    hos_buffer *out);

// One round of a step in a host's transaction (`spec/joined-transaction.md`): an operation's name and JSON in, JSON out. `inside`
// says what the caller knows of its connection: 1, it is in a transaction; 0, it is in none; -1, it cannot tell. `HOS_NEED`: the
// step is on its way.
//
// # Safety
// `operation` and `json` lead to as many bytes as is said; `out` is null or a buffer.
hos_status hos_step(uint64_t engine,
                    const char *operation,
                    size_t operation_len,
                    int32_t inside,
                    const char *json,
                    size_t json_len,
                    hos_buffer *out);

// `can`, its words apart: the swift form of `hos_call(engine, "can", ..)`. Without `out` nothing but the status is told.
//
// # Safety
// `question` leads to a question whose texts lead to as many bytes as they say; `out` is null or a buffer.
hos_status hos_can(uint64_t engine,
                   const hos_question *question,
                   hos_buffer *out);

// Frees what a buffer holds and leaves it all zero: it may be used again.
//
// # Safety
// `buffer` is null or a buffer.
void hos_free(hos_buffer *buffer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HOS_H */
