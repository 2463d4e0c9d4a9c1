/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request and its reply, as a route sees them.
 */
#ifndef IOMMUSCOPE_EXPORT_HTTP_H
#define IOMMUSCOPE_EXPORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/**
 * struct export_request - a request
 * @path: its path, decoded, without the query
 * @connection: for export_header()
 */
struct export_request {
	const char *path;
	struct MHD_Connection *connection;
};

#define EXPORT_MAX_HEADERS 8

/**
 * struct export_reply - the answer of a route
 * @status: HTTP status, 200 unless the route sets another one
 * @type: Content-Type
 * @body: the body; a HEAD gets its length only
 * @length: bytes of @body
 * @owned: @body was allocated and is freed once it is sent; otherwise it is constant
 * @headers: names and values of further headers, up to the first NULL name; the strings are not
 *	freed
 */
struct export_reply {
	unsigned int status;
	const char *type;
	char *body;
	size_t length;
	bool owned;
	struct {
		const char *name;
		const char *value;
	} headers[EXPORT_MAX_HEADERS];
};

/**
 * export_header() - get a header of a request
 * @request: the request
 * @name: the header's name, in any case
 *
 * Return: its value or NULL.
 */
const char *export_header(const struct export_request *request, const char *name);

/**
 * export_text() - answer with a constant text
 * @reply: the reply
 * @status: HTTP status
 * @text: the text
 */
void export_text(struct export_reply *reply, unsigned int status, const char *text);

#endif
