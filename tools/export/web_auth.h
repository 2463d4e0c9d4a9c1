/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Basic authentication against the users of a web configuration.
 *
 * A check of a password is slow on purpose.  So what was right once is remembered, as a keyed digest
 * and not as itself, and checks may take a share of the time only: who guesses gets to wait, who is
 * known does not.
 */
#ifndef IOMMUSCOPE_EXPORT_WEB_AUTH_H
#define IOMMUSCOPE_EXPORT_WEB_AUTH_H

struct web_auth;
struct web_config;

enum web_auth_result {
	WEB_AUTH_GRANTED,
	WEB_AUTH_DENIED,
	WEB_AUTH_BUSY,
};

/**
 * web_auth_new() - prepare to check
 * @config: has the users
 *
 * Return: the checker, NULL if everybody may read.
 */
struct web_auth *web_auth_new(const struct web_config *config);

/**
 * web_auth_check() - may this request be answered?
 * @auth: the checker
 * @authorization: its Authorization header, or NULL
 *
 * Return: whether it may; WEB_AUTH_BUSY if it is to be asked again later.
 */
enum web_auth_result web_auth_check(struct web_auth *auth, const char *authorization);

/**
 * web_auth_free() - end
 * @auth: the checker, or NULL
 */
void web_auth_free(struct web_auth *auth);

#endif
