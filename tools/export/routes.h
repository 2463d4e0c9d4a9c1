/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What iommuscope export serves: a function for each path.
 *
 * A route gets the exporter and the request, and fills in a reply; it knows nothing of HTTP
 * beyond that.  All routes run in one thread, one after the other, and serve GET and HEAD only.
 */
#ifndef IOMMUSCOPE_EXPORT_ROUTES_H
#define IOMMUSCOPE_EXPORT_ROUTES_H

struct exporter;
struct export_reply;
struct export_request;

/**
 * struct export_route - a path and its handler
 * @path: the path
 * @serve: fills in the reply, which is empty with status 200 at the call
 */
struct export_route {
	const char *path;
	void (*serve)(struct exporter *exporter, const struct export_request *request,
		      struct export_reply *reply);
};

/**
 * export_find_route() - find the route of a path
 * @path: the path
 *
 * Return: the route or NULL.
 */
const struct export_route *export_find_route(const char *path);

#endif
