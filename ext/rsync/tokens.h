#ifndef AGS_RSYNC_TOKENS_H
#define AGS_RSYNC_TOKENS_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Writes the token stream of one file, plain or compressed. What is written never depends on other files or
 * on what this receiver got before, so that one stream serves all receivers: zstd uses whole frames per literal run, zlib its own
 * deflate object per run with a sync flush at the end, and lz4 blocks are on their own.
 */
enum ags_encoding { AGS_ENCODING_PLAIN, AGS_ENCODING_ZSTD, AGS_ENCODING_ZLIB, AGS_ENCODING_LZ4 };
#define AGS_ENCODINGS 4

struct ags_tokens;

/* NULL on lack of memory. Reused for any number of files. */
struct ags_tokens *ags_tokens_new(enum ags_encoding encoding);
void ags_tokens_free(struct ags_tokens *tokens);

void ags_tokens_begin(struct ags_tokens *tokens);                                                    /* a new file */
void ags_tokens_begin_packed(struct ags_tokens *tokens);       /* the same, of content that is compressed already: no effort is made */
bool ags_tokens_literal(struct ags_tokens *tokens, const uint8_t *bytes, size_t n, struct ags_buf *out);
bool ags_tokens_copy(struct ags_tokens *tokens, uint32_t block, struct ags_buf *out);
/* Whatever is still held back (an open literal run or block run) goes out, so that `out` is a whole piece of the stream. The stream may go on. */
bool ags_tokens_flush(struct ags_tokens *tokens, struct ags_buf *out);
bool ags_tokens_end(struct ags_tokens *tokens, struct ags_buf *out);                                 /* flush, and the end mark */

#endif
