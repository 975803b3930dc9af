#ifndef AGS_BASE_DIGEST_H
#define AGS_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The checksums that rsync and known_hosts use.
 *
 * Both transfer checksums have 16 bytes. xxh128 is stored low 64 bits first,
 * each little endian, md5 as usual.
 */
enum ags_digest { AGS_DIGEST_XXH128, AGS_DIGEST_MD5 };

#define AGS_DIGEST_LEN 16

const char *ags_digest_name(enum ags_digest digest);       /* rsync's names: "xxh128", "md5" */

/* A running checksum. The struct may live anywhere; free with fini. */
struct ags_hash {
	enum ags_digest digest;
	void *state;
};

bool ags_hash_init(struct ags_hash *h, enum ags_digest digest);      /* false on lack of memory */
void ags_hash_reset(struct ags_hash *h);                             /* ready for the next file */
void ags_hash_add(struct ags_hash *h, const void *bytes, size_t n);
void ags_hash_end(struct ags_hash *h, uint8_t sum[AGS_DIGEST_LEN]);
void ags_hash_fini(struct ags_hash *h);                              /* also of a zeroed struct */

/* The strong sum of one block, seeded as rsync does it: md5 with the 4 seed bytes first (compat letter C),
 * xxh128 with the seed sign-extended to 64 bits. */
void ags_digest_block(enum ags_digest digest, int32_t seed, const void *bytes, size_t n, uint8_t sum[AGS_DIGEST_LEN]);

void ags_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t sum[20]);
void ags_sha256(const void *bytes, size_t n, uint8_t sum[32]);

#endif
