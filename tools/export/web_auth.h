/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Basic authentication against the users of a web configuration.
 *
 * Checking a password is slow on purpose.  So a header that was right once is remembered, as a
 * keyed digest instead of in clear.  Checks may take only a share of the time: clients that guess
 * must wait, known clients need not.
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
 * web_auth_new() - create a checker
 * @config: has the users
 *
 * Return: the checker, NULL if every client may read.
 */
struct web_auth *web_auth_new(const struct web_config *config);

/**
 * web_auth_check() - may this request be answered?
 * @auth: the checker
 * @authorization: its Authorization header, or NULL
 *
 * Return: whether it may; WEB_AUTH_BUSY if the client must try again later.
 */
enum web_auth_result web_auth_check(struct web_auth *auth, const char *authorization);

/**
 * web_auth_free() - free a checker
 * @auth: the checker, or NULL
 */
void web_auth_free(struct web_auth *auth);

#endif
