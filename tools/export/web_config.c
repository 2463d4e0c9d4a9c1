// SPDX-License-Identifier: GPL-2.0-only
/*
 * libyaml parses the file into a tree of nodes that know their lines.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "export/web_config.h"
#include "text/output.h"

/* Longer than any sane chain of certificates. */
#define MAX_FILE (1 << 20)
/* A check at this cost takes about a second; each further one doubles it. */
#define MAX_COST 14
#define HASH_LENGTH 60

/**
 * struct reading - a configuration that is being read
 * @path: its file
 * @document: the tree
 * @config: filled in
 * @min: smallest version of TLS, 12 or 13
 * @max: largest one
 * @verify_clients: clients need a certificate
 */
struct reading {
	const char *path;
	yaml_document_t document;
	struct web_config *config;
	int min;
	int max;
	bool verify_clients;
};

/* Report a problem with a node. */
__attribute__((format(printf, 3, 4)))
static int wrong(const struct reading *reading, const yaml_node_t *node, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	complain("%s:%zu: %s", reading->path, node->start_mark.line + 1, text);
	return -1;
}

static const char *text_of(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static char *read_file(const char *path)
{
	size_t length;
	char *text;
	FILE *file;

	file = fopen(path, "re");
	if (!file)
		return NULL;
	text = malloc(MAX_FILE);
	if (!text)
		out_of_memory();
	length = fread(text, 1, MAX_FILE, file);
	if (ferror(file) || length == MAX_FILE) {
		errno = ferror(file) ? errno : EFBIG;
		free(text);
		text = NULL;
	} else {
		text[length] = '\0';
	}
	fclose(file);
	return text;
}

static int set_file(struct reading *reading, const yaml_node_t *node, char **to)
{
	const char *name = text_of(node), *slash = strrchr(reading->path, '/');
	int folder = *name != '/' && slash ? slash - reading->path + 1 : 0;
	char *path;

	if (asprintf(&path, "%.*s%s", folder, reading->path, name) < 0)
		out_of_memory();
	*to = read_file(path);
	if (!*to)
		wrong(reading, node, "cannot read %s: %s", path, strerror(errno));
	free(path);
	return *to ? 0 : -1;
}

static int set_version(struct reading *reading, const yaml_node_t *node, int *version)
{
	const char *name = text_of(node);

	if (!strcmp(name, "TLS12"))
		*version = 12;
	else if (!strcmp(name, "TLS13"))
		*version = 13;
	else
		return wrong(reading, node, "%s is not a supported version of TLS: TLS12 or TLS13",
			     name);
	return 0;
}

static int set_client_auth(struct reading *reading, const yaml_node_t *node)
{
	const char *name = text_of(node);

	reading->verify_clients = !strcmp(name, "RequireAndVerifyClientCert");
	if (!reading->verify_clients && strcmp(name, "NoClientCert"))
		return wrong(reading, node,
			     "client_auth_type must be NoClientCert or RequireAndVerifyClientCert");
	return 0;
}

static int set_tls(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	struct web_config *config = reading->config;
	const char *name = text_of(key);

	if (!text_of(value))
		return wrong(reading, value, "%s takes one value", name);
	if (!strcmp(name, "cert_file"))
		return set_file(reading, value, &config->certificate);
	if (!strcmp(name, "key_file"))
		return set_file(reading, value, &config->key);
	if (!strcmp(name, "client_ca_file"))
		return set_file(reading, value, &config->client_ca);
	if (!strcmp(name, "client_auth_type"))
		return set_client_auth(reading, value);
	if (!strcmp(name, "min_version"))
		return set_version(reading, value, &reading->min);
	if (!strcmp(name, "max_version"))
		return set_version(reading, value, &reading->max);
	return wrong(reading, key, "tls_server_config does not support %s here", name);
}

static int set_user(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	struct web_config *config = reading->config;
	const char *hash = text_of(value);
	int cost;

	if (!hash || strlen(hash) != HASH_LENGTH || strncmp(hash, "$2", 2) ||
	    !strchr("aby", hash[2]) || sscanf(hash + 3, "$%2d$", &cost) != 1)
		return wrong(reading, value,
			     "the password of %s is not a bcrypt hash; create one with htpasswd -nBC 10 %s",
			     text_of(key), text_of(key));
	if (cost > MAX_COST)
		return wrong(reading, value,
			     "a bcrypt cost of %d makes every request slow: at most %d", cost,
			     MAX_COST);
	if (strchr(text_of(key), ':'))
		return wrong(reading, key, "the name of a user must not have a colon");
	config->users =
		reallocarray(config->users, config->nr_users + 1, sizeof(*config->users));
	if (!config->users)
		out_of_memory();
	config->users[config->nr_users].name = strdup(text_of(key));
	config->users[config->nr_users].hash = strdup(hash);
	if (!config->users[config->nr_users].name || !config->users[config->nr_users].hash)
		out_of_memory();
	config->nr_users++;
	return 0;
}

/* Call a function for each pair of a mapping. */
static int for_each(struct reading *reading, const yaml_node_t *node, const char *what,
		    int (*set)(struct reading *reading, const yaml_node_t *key,
			       const yaml_node_t *value))
{
	const yaml_node_pair_t *pair;
	const yaml_node_t *key;

	if (node->type != YAML_MAPPING_NODE)
		return wrong(reading, node, "%s must have names with values", what);
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(&reading->document, pair->key);
		if (!text_of(key))
			return wrong(reading, key, "a name is expected here");
		if (set(reading, key, yaml_document_get_node(&reading->document, pair->value)))
			return -1;
	}
	return 0;
}

static int check_tls(struct reading *reading, const yaml_node_t *node)
{
	struct web_config *config = reading->config;

	if (!config->certificate || !config->key)
		return wrong(reading, node, "tls_server_config needs a cert_file and a key_file");
	if (reading->verify_clients != (config->client_ca != NULL))
		return wrong(reading, node,
			     "client_ca_file and RequireAndVerifyClientCert need each other");
	if (reading->min > reading->max)
		return wrong(reading, node, "min_version is above max_version");
	config->priorities = reading->min == 13 ? "NORMAL:-VERS-ALL:+VERS-TLS1.3" :
			     reading->max == 12 ? "NORMAL:-VERS-ALL:+VERS-TLS1.2" :
						  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	return 0;
}

static int set_part(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value)
{
	const char *name = text_of(key);

	if (!strcmp(name, "tls_server_config"))
		return for_each(reading, value, name, set_tls) || check_tls(reading, key) ? -1 : 0;
	if (!strcmp(name, "basic_auth_users"))
		return for_each(reading, value, name, set_user);
	return wrong(reading, key, "%s is not supported here: tls_server_config or basic_auth_users",
		     name);
}

int web_config_read(struct web_config *config, const char *path)
{
	struct reading reading = { .path = path, .config = config, .min = 12, .max = 13 };
	const yaml_node_t *root;
	yaml_parser_t parser;
	int err = 0;
	FILE *file;

	memset(config, 0, sizeof(*config));
	file = fopen(path, "re");
	if (!file) {
		complain("cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	if (!yaml_parser_initialize(&parser))
		out_of_memory();
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &reading.document)) {
		complain("%s:%zu: %s", path, parser.problem_mark.line + 1,
			 parser.problem ? parser.problem : "this cannot be read");
		err = -1;
	} else {
		/* an empty file sets nothing */
		root = yaml_document_get_root_node(&reading.document);
		if (root)
			err = for_each(&reading, root, "the configuration", set_part);
		yaml_document_delete(&reading.document);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return err;
}
