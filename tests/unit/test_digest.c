#include "unit/check.h"

#include "base/digest.h"

static const char *hex(const uint8_t *sum, size_t n, char *to)
{
	for (size_t i = 0; i < n; i++)
		sprintf(to + 2 * i, "%02x", sum[i]);
	return to;
}

static const char *whole(enum ags_digest digest, const void *bytes, size_t n, size_t piece, char *to)
{
	struct ags_hash h = {0};
	uint8_t sum[AGS_DIGEST_LEN];

	if (!ags_hash_init(&h, digest))
		return NULL;
	for (size_t at = 0; at < n; at += piece)
		ags_hash_add(&h, (const char *)bytes + at, n - at < piece ? n - at : piece);
	ags_hash_end(&h, sum);
	ags_hash_fini(&h);
	return hex(sum, sizeof(sum), to);
}

static void test_md5_is_md5(void)
{
	char to[65];

	CHECK_STR(whole(AGS_DIGEST_MD5, "", 0, 1, to), "d41d8cd98f00b204e9800998ecf8427e");
	CHECK_STR(whole(AGS_DIGEST_MD5, "abc", 3, 1, to), "900150983cd24fb0d6963f7d28e17f72");
}

static void test_xxh128_is_stored_low_half_first(void)
{
	char to[65];

	/* xxhsum -H2 of nothing prints 99aa06d3014798d86001c324468d497f, the high half first and big endian */
	CHECK_STR(whole(AGS_DIGEST_XXH128, "", 0, 1, to), "7f498d4624c30160d8984701d306aa99");
	CHECK_STR(whole(AGS_DIGEST_XXH128, "a", 1, 1, to), "1f4e961eb632c6e63468f15a70af6fa9");
}

static void test_pieces_give_the_sum_of_the_whole(void)
{
	static uint8_t bytes[10000];
	char one[65], many[65];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 131 >> 3);
	for (int d = AGS_DIGEST_XXH128; d <= AGS_DIGEST_MD5; d++)
		for (size_t piece = 1; piece < 600; piece += 37) {
			whole((enum ags_digest)d, bytes, sizeof(bytes), sizeof(bytes), one);
			CHECK_STR(whole((enum ags_digest)d, bytes, sizeof(bytes), piece, many), one);
		}
}

static void test_reset_starts_over(void)
{
	char to[65];
	uint8_t sum[AGS_DIGEST_LEN];

	for (int d = AGS_DIGEST_XXH128; d <= AGS_DIGEST_MD5; d++) {
		struct ags_hash h = {0};
		char want[65];

		CHECK(ags_hash_init(&h, (enum ags_digest)d));
		ags_hash_add(&h, "rubbish", 7);
		ags_hash_end(&h, sum);
		ags_hash_reset(&h);
		ags_hash_add(&h, "abc", 3);
		ags_hash_end(&h, sum);
		CHECK_STR(hex(sum, sizeof(sum), to), whole((enum ags_digest)d, "abc", 3, 3, want));
		ags_hash_fini(&h);
		ags_hash_fini(&h);
	}
}

static void test_a_block_sum_of_md5_begins_with_the_seed(void)
{
	char to[65], want[65];
	uint8_t sum[AGS_DIGEST_LEN];

	ags_digest_block(AGS_DIGEST_MD5, 12345, "abc", 3, sum);
	CHECK_STR(hex(sum, sizeof(sum), to), whole(AGS_DIGEST_MD5, "\x39\x30\0\0abc", 7, 7, want));
	ags_digest_block(AGS_DIGEST_MD5, -7, "abc", 3, sum);
	CHECK_STR(hex(sum, sizeof(sum), to), whole(AGS_DIGEST_MD5, "\xf9\xff\xff\xff" "abc", 7, 7, want));
	ags_digest_block(AGS_DIGEST_MD5, 0, "abc", 3, sum);
	CHECK_STR(hex(sum, sizeof(sum), to), whole(AGS_DIGEST_MD5, "abc", 3, 3, want));
}

static void test_a_block_sum_of_xxh128_takes_a_sign_extended_seed(void)
{
	char zero[65], plain[65], minus[65], big[65];
	uint8_t sum[AGS_DIGEST_LEN];

	ags_digest_block(AGS_DIGEST_XXH128, 0, "abc", 3, sum);
	CHECK_STR(hex(sum, sizeof(sum), zero), whole(AGS_DIGEST_XXH128, "abc", 3, 3, plain));
	ags_digest_block(AGS_DIGEST_XXH128, -7, "abc", 3, sum);
	hex(sum, sizeof(sum), minus);
	ags_digest_block(AGS_DIGEST_XXH128, 12345, "abc", 3, sum);
	hex(sum, sizeof(sum), big);
	/* computed with XXH3_128bits_withSeed("abc", 3, 0xfffffffffffffff9) and (…, 12345) */
	CHECK_STR(minus, "4e6f42b9a43d0c97e7643b4a27ebda81");
	CHECK_STR(big, "d0859afdea647e71799ee027f8e7ec80");
}

static void test_hmac_sha1_gives_the_sums_of_rfc_2202(void)
{
	char to[65];
	uint8_t sum[20], key[80];

	ags_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, sum);
	CHECK_STR(hex(sum, 20, to), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	memset(key, 0xaa, sizeof(key));
	ags_hmac_sha1(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, sum);
	CHECK_STR(hex(sum, 20, to), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

static void test_sha256_is_sha256(void)
{
	char to[65];
	uint8_t sum[32];

	ags_sha256("abc", 3, sum);
	CHECK_STR(hex(sum, 32, to), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_rsyncs_names_of_the_sums(void)
{
	CHECK_STR(ags_digest_name(AGS_DIGEST_XXH128), "xxh128");
	CHECK_STR(ags_digest_name(AGS_DIGEST_MD5), "md5");
}

int main(void)
{
	RUN(test_md5_is_md5);
	RUN(test_xxh128_is_stored_low_half_first);
	RUN(test_pieces_give_the_sum_of_the_whole);
	RUN(test_reset_starts_over);
	RUN(test_a_block_sum_of_md5_begins_with_the_seed);
	RUN(test_a_block_sum_of_xxh128_takes_a_sign_extended_seed);
	RUN(test_hmac_sha1_gives_the_sums_of_rfc_2202);
	RUN(test_sha256_is_sha256);
	RUN(test_rsyncs_names_of_the_sums);
	return check_result();
}
