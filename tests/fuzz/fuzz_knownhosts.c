#include "ssh/blob.h"
#include "ssh/knownhosts.h"

#include <stdlib.h>

/* Whatever the file holds: a type that is told must be a name, and the key of a line that is known must be found as known. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ed25519[] = "\0\0\0\x0bssh-ed25519\0\0\0\x20" "0123456789abcdef0123456789abcdef";
	static const char *const hosts[] = { "web1", "a.example.com", "10.0.0.1", "fe80::1" };
	struct ags_err err = AGS_ERR_INIT;
	struct ags_known_hosts *known = ags_known_hosts_parse((const char *)data, size, &err);

	if (known == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		for (unsigned port = 22; port < 2300; port += 2200) {
			const char *types[8];
			size_t n = ags_known_hosts_types(known, hosts[i], (uint16_t)port, types, 8);

			for (size_t k = 0; k < n; k++)
				if (types[k][0] == '\0')
					abort();
			if (ags_known_hosts_check(known, hosts[i], (uint16_t)port, ed25519, sizeof(ed25519) - 1) == AGS_HOST_KEY_KNOWN && n == 0)
				abort();
		}
	ags_known_hosts_free(known);
	return 0;
}
