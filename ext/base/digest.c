/* The plain MD5_, SHA1_ and SHA256_ calls work on the stack and cannot fail; EVP allocates for every sum, which for
 * the small blocks of a delta costs more than the sum itself. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/digest.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define SHA1_BLOCK 64

static void store_u64(uint8_t *p, uint64_t v);
static void store_xxh128(uint8_t sum[AGS_DIGEST_LEN], XXH128_hash_t hash);

const char *ags_digest_name(enum ags_digest digest)
{
	return digest == AGS_DIGEST_XXH128 ? "xxh128" : "md5";
}

bool ags_hash_init(struct ags_hash *h, enum ags_digest digest)
{
	h->digest = digest;
	h->state = digest == AGS_DIGEST_XXH128 ? (void *)XXH3_createState() : malloc(sizeof(MD5_CTX));
	if (h->state == NULL)
		return false;
	ags_hash_reset(h);
	return true;
}

void ags_hash_reset(struct ags_hash *h)
{
	if (h->digest == AGS_DIGEST_XXH128)
		XXH3_128bits_reset(h->state);
	else
		MD5_Init(h->state);
}

void ags_hash_add(struct ags_hash *h, const void *bytes, size_t n)
{
	if (n == 0)
		return;
	if (h->digest == AGS_DIGEST_XXH128)
		XXH3_128bits_update(h->state, bytes, n);
	else
		MD5_Update(h->state, bytes, n);
}

void ags_hash_end(struct ags_hash *h, uint8_t sum[AGS_DIGEST_LEN])
{
	if (h->digest == AGS_DIGEST_XXH128)
		store_xxh128(sum, XXH3_128bits_digest(h->state));
	else
		MD5_Final(sum, h->state);
}

void ags_hash_fini(struct ags_hash *h)
{
	if (h->digest == AGS_DIGEST_XXH128)
		XXH3_freeState(h->state);
	else
		free(h->state);
	h->state = NULL;
}

void ags_digest_block(enum ags_digest digest, int32_t seed, const void *bytes, size_t n, uint8_t sum[AGS_DIGEST_LEN])
{
	uint32_t u = (uint32_t)seed;
	uint8_t head[4] = { (uint8_t)u, (uint8_t)(u >> 8), (uint8_t)(u >> 16), (uint8_t)(u >> 24) };
	MD5_CTX md5;

	if (digest == AGS_DIGEST_XXH128) {
		store_xxh128(sum, XXH3_128bits_withSeed(n > 0 ? bytes : "", n, (uint64_t)(int64_t)seed));
		return;
	}
	MD5_Init(&md5);
	if (seed != 0)
		MD5_Update(&md5, head, sizeof(head));
	if (n > 0)
		MD5_Update(&md5, bytes, n);
	MD5_Final(sum, &md5);
}

void ags_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t n, uint8_t sum[20])
{
	uint8_t pad[SHA1_BLOCK] = {0};
	SHA_CTX sha;

	if (key_len > sizeof(pad)) {
		SHA1_Init(&sha);
		SHA1_Update(&sha, key, key_len);
		SHA1_Final(pad, &sha);
	} else if (key_len > 0) {
		memcpy(pad, key, key_len);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	SHA1_Init(&sha);
	SHA1_Update(&sha, pad, sizeof(pad));
	if (n > 0)
		SHA1_Update(&sha, bytes, n);
	SHA1_Final(sum, &sha);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&sha);
	SHA1_Update(&sha, pad, sizeof(pad));
	SHA1_Update(&sha, sum, 20);
	SHA1_Final(sum, &sha);
}

void ags_sha256(const void *bytes, size_t n, uint8_t sum[32])
{
	SHA256_CTX sha;

	SHA256_Init(&sha);
	if (n > 0)
		SHA256_Update(&sha, bytes, n);
	SHA256_Final(sum, &sha);
}

static void store_xxh128(uint8_t sum[AGS_DIGEST_LEN], XXH128_hash_t hash)
{
	store_u64(sum, hash.low64);
	store_u64(sum + 8, hash.high64);
}

static void store_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}
