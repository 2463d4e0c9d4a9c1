/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The web configuration file: TLS and users, in the format of Prometheus's exporters.
 *
 *	tls_server_config:
 *	  cert_file: FILE			relative to the configuration's folder
 *	  key_file: FILE
 *	  client_ca_file: FILE
 *	  client_auth_type: NoClientCert | RequireAndVerifyClientCert
 *	  min_version: TLS12 | TLS13
 *	  max_version: TLS12 | TLS13
 *	basic_auth_users:
 *	  NAME: HASH				bcrypt
 *
 * Other settings of their format are refused instead of ignored.
 */
#ifndef IOMMUSCOPE_EXPORT_WEB_CONFIG_H
#define IOMMUSCOPE_EXPORT_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct web_user - a user that may read
 * @name: the name
 * @hash: bcrypt hash of the password
 */
struct web_user {
	char *name;
	char *hash;
};

/**
 * struct web_config - the configuration
 * @certificate: the server's certificates as in their file, NULL for no TLS
 * @key: its private key
 * @client_ca: the authority for certificates of clients, NULL if they need none
 * @priorities: versions of TLS, for GnuTLS
 * @users: users that may read; every client if there are none
 * @nr_users: number of users
 */
struct web_config {
	char *certificate;
	char *key;
	char *client_ca;
	const char *priorities;
	struct web_user *users;
	size_t nr_users;
};

/**
 * web_config_read() - read a configuration
 * @config: filled in
 * @path: the file
 *
 * Return: 0, or -1 after a message with the line.
 */
int web_config_read(struct web_config *config, const char *path);

#endif
