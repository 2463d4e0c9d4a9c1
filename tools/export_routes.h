/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommuscope export serves: a function for each path.
 *
 * A route gets the exporter and the request, and fills in a reply; it knows nothing of HTTP
 * beyond that.  All routes run in one thread, one after the other, and serve GET and HEAD only.
 */
#ifndef IOMMUSCOPE_EXPORT_ROUTES_H
#define IOMMUSCOPE_EXPORT_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

struct exporter;
struct MHD_Connection;

/**
 * struct export_request - a request
 * @path: its path, decoded, without the query
 * @connection: for export_header() and export_argument()
 */
struct export_request {
	const char *path;
	struct MHD_Connection *connection;
};

#define EXPORT_MAX_HEADERS 8

/**
 * struct export_reply - what a route answers
 * @status: HTTP status, 200 unless the route sets another one
 * @type: Content-Type
 * @body: the body; a HEAD gets its length only
 * @length: bytes of @body
 * @owned: @body was allocated and is freed once it is sent; otherwise it never changes
 * @headers: names and values of further headers, up to the first NULL name; strings that last
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
 * struct export_route - a path and what serves it
 * @path: the path
 * @serve: fills in the reply, which has status 200 and nothing else yet
 */
struct export_route {
	const char *path;
	void (*serve)(struct exporter *exporter, const struct export_request *request,
		      struct export_reply *reply);
};

/**
 * export_find_route() - the route of a path
 * @path: the path
 *
 * Return: the route or NULL.
 */
const struct export_route *export_find_route(const char *path);

/**
 * export_header() - a header of a request
 * @request: the request
 * @name: the header's name, in any case
 *
 * Return: its value or NULL.
 */
const char *export_header(const struct export_request *request, const char *name);

/**
 * export_argument() - an argument of a request's query
 * @request: the request
 * @name: its name
 *
 * Return: its value, decoded, "" if it has none, or NULL if it is not there.
 */
const char *export_argument(const struct export_request *request, const char *name);

/**
 * export_text() - answer with a constant text
 * @reply: the reply
 * @status: HTTP status
 * @text: the text
 */
void export_text(struct export_reply *reply, unsigned int status, const char *text);

#endif
