#ifndef AGS_RSYNC_PACKER_H
#define AGS_RSYNC_PACKER_H

#include "rsync/tokens.h"

/*
 * The three ways to compress a literal run, private to the tokens. A run is what lies between two block tokens (or the ends of
 * the file). No run refers to an earlier one, so that it means the same behind any other run.
 *
 *   new ──► add* ──► flush ──► add* ... ──► end ──► add* ... the next run
 *
 * After flush, what was added can be sent and the run may still go on.
 */
struct ags_zstd_packer;

struct ags_zstd_packer *ags_zstd_packer_new(void);                 /* NULL on lack of memory */
void ags_zstd_packer_free(struct ags_zstd_packer *packer);
void ags_zstd_packer_begin(struct ags_zstd_packer *packer, bool is_packed);        /* forgets an unfinished run; with is_packed as little effort as possible */
bool ags_zstd_packer_add(struct ags_zstd_packer *packer, const uint8_t *bytes, size_t n, struct ags_buf *out);
bool ags_zstd_packer_flush(struct ags_zstd_packer *packer, struct ags_buf *out);
bool ags_zstd_packer_end(struct ags_zstd_packer *packer, struct ags_buf *out);

struct ags_zlib_packer;

struct ags_zlib_packer *ags_zlib_packer_new(void);
void ags_zlib_packer_free(struct ags_zlib_packer *packer);
void ags_zlib_packer_begin(struct ags_zlib_packer *packer, bool is_packed);
bool ags_zlib_packer_add(struct ags_zlib_packer *packer, const uint8_t *bytes, size_t n, struct ags_buf *out);
bool ags_zlib_packer_flush(struct ags_zlib_packer *packer, struct ags_buf *out);
bool ags_zlib_packer_end(struct ags_zlib_packer *packer, struct ags_buf *out);

struct ags_lz4_packer;

struct ags_lz4_packer *ags_lz4_packer_new(void);
void ags_lz4_packer_free(struct ags_lz4_packer *packer);
void ags_lz4_packer_begin(struct ags_lz4_packer *packer, bool is_packed);
bool ags_lz4_packer_add(struct ags_lz4_packer *packer, const uint8_t *bytes, size_t n, struct ags_buf *out);
bool ags_lz4_packer_flush(struct ags_lz4_packer *packer, struct ags_buf *out);      /* also the end of a run */

/* Compressed bytes as the stream carries them: {0x40 + length / 256, length % 256, bytes}, 1 to 16383 bytes each. */
bool ags_pack_data(struct ags_buf *out, const uint8_t *bytes, size_t n);

#endif
