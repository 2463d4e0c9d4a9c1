// SPDX-License-Identifier: GPL-2.0-only
/*
 * Basic authentication.
 */
#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "export/web_auth.h"
#include "export/web_config.h"
#include "text/output.h"
#include "text/token_bucket.h"

#define DIGEST_SIZE 32
#define KNOWN 16
/* Longer than any header that fits into the memory of a connection. */
#define MAX_HEADER 4096

/**
 * struct web_auth - the checker
 * @config: has the users
 * @key: random key of the digests
 * @known: digests of headers that were right
 * @nr_known: number of them so far; the next one goes to this modulo KNOWN
 * @budget: time budget for checks of passwords
 * @crypt: work area of libcrypt
 */
struct web_auth {
	const struct web_config *config;
	unsigned char key[DIGEST_SIZE];
	unsigned char known[KNOWN][DIGEST_SIZE];
	unsigned int nr_known;
	struct token_bucket budget;
	struct crypt_data crypt;
};

struct web_auth *web_auth_new(const struct web_config *config)
{
	struct web_auth *auth;

	if (!config || !config->nr_users)
		return NULL;
	auth = calloc(1, sizeof(*auth));
	if (!auth)
		out_of_memory();
	auth->config = config;
	auth->budget.share = 5;
	auth->budget.most_ns = 1000000000;
	if (gnutls_rnd(GNUTLS_RND_KEY, auth->key, sizeof(auth->key)))
		abort();
	return auth;
}

static bool is_known(const struct web_auth *auth, const unsigned char *digest)
{
	unsigned int i;

	for (i = 0; i < KNOWN && i < auth->nr_known; i++)
		if (!gnutls_memcmp(auth->known[i], digest, DIGEST_SIZE))
			return true;
	return false;
}

/* Does a password match a hash?  It takes as long for an unknown user. */
static bool fits(struct web_auth *auth, const char *name, const char *password)
{
	const struct web_config *config = auth->config;
	const char *hash = config->users[0].hash, *made;
	bool there = false;
	size_t i;

	for (i = 0; i < config->nr_users; i++) {
		if (strcmp(config->users[i].name, name))
			continue;
		hash = config->users[i].hash;
		there = true;
	}
	made = crypt_r(password, hash, &auth->crypt);
	return made && strlen(made) == strlen(hash) && !gnutls_memcmp(made, hash, strlen(hash)) &&
	       there;
}

static bool check(struct web_auth *auth, const char *encoded)
{
	gnutls_datum_t text = { (unsigned char *)encoded, strlen(encoded) }, decoded;
	char *name, *password;
	bool granted = false;

	if (gnutls_base64_decode2(&text, &decoded))
		return false;
	/* as a string; a zero byte in it would end it too early */
	name = strndup((char *)decoded.data, decoded.size);
	if (!name)
		out_of_memory();
	password = strchr(name, ':');
	if (password && strlen(name) == decoded.size) {
		*password++ = '\0';
		granted = fits(auth, name, password);
	}
	gnutls_memset(name, 0, decoded.size);
	gnutls_memset(decoded.data, 0, decoded.size);
	free(name);
	gnutls_free(decoded.data);
	return granted;
}

enum web_auth_result web_auth_check(struct web_auth *auth, const char *authorization)
{
	unsigned char digest[DIGEST_SIZE];
	bool granted;

	if (!authorization || strncasecmp(authorization, "Basic ", 6) ||
	    strlen(authorization) > MAX_HEADER)
		return WEB_AUTH_DENIED;
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key), authorization,
			     strlen(authorization), digest))
		return WEB_AUTH_DENIED;
	if (is_known(auth, digest))
		return WEB_AUTH_GRANTED;
	if (!token_bucket_begin(&auth->budget))
		return WEB_AUTH_BUSY;
	granted = check(auth, authorization + 6 + strspn(authorization + 6, " "));
	token_bucket_end(&auth->budget);
	if (!granted)
		return WEB_AUTH_DENIED;
	memcpy(auth->known[auth->nr_known++ % KNOWN], digest, DIGEST_SIZE);
	return WEB_AUTH_GRANTED;
}

void web_auth_free(struct web_auth *auth)
{
	free(auth);
}
