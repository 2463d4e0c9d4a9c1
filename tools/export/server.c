// SPDX-License-Identifier: GPL-2.0-only
/*
 * libmicrohttpd implements HTTP.  It gets the listening sockets from here and is driven through
 * its epoll descriptor.  Each of its daemons serves one socket; the caller waits for one epoll
 * descriptor over those of all daemons.
 *
 * libmicrohttpd's own timeout counts from the last byte, so a client that sends a byte now and
 * then could stay forever.  So each connection has a struct client, in a list in order of expiry:
 * it is appended when it connects and when it has got an answer.  To end a connection it is enough
 * to shut down its socket; libmicrohttpd notices that and closes it.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/http.h"
#include "export/routes.h"
#include "export/server.h"
#include "export/web_auth.h"
#include "export/web_config.h"
#include "text/clock.h"
#include "text/output.h"

/* Request line and headers of a connection, and a part of its answer, must fit. */
#define CONNECTION_MEMORY 16384
/* From this number of connections on, slow ones get less time. */
#define SCARCE (SERVER_CONNECTIONS * 3 / 4)
#define SCARCE_PATIENCE_NS 1000000000ULL
#define BACKLOG 1024
#define DESCRIPTORS 4096

/**
 * struct client - a connection
 * @next: the connection that expires next after this one
 * @prev: the one that expires before this one
 * @fd: its socket, -1 once it was shut down
 * @since_ns: when it connected, or got its last answer
 * @answered: it has got an answer
 */
struct client {
	struct client *next;
	struct client *prev;
	int fd;
	uint64_t since_ns;
	bool answered;
};

struct server {
	struct exporter *exporter;
	const struct web_config *config;
	struct web_auth *auth;
	struct MHD_Daemon *daemons[SERVER_MAX_SOCKETS];
	size_t nr_daemons;
	int epoll_fd;
	struct client clients;
	struct server_counters counters;
};

/* Listening */

/* Split "ADDRESS:PORT" in place. */
static bool split_address(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (!colon || !colon[1])
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = address;
	if (*address == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = address + 1;
	} else if (strchr(address, ':')) {
		return false;
	}
	return strspn(*port, "0123456789") == strlen(*port) && strlen(*port) <= 5 &&
	       atoi(*port) <= 65535;
}

static int listen_at(const struct addrinfo *info)
{
	int fd, on = 1, off = 0, err;

	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* an IPv6 socket on all addresses accepts IPv4 as well */
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

int server_listen(const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *list = NULL, *info;
	char *copy = strdup(address), *host, *port;
	int fd = -1, err;

	if (!copy)
		out_of_memory();
	if (!split_address(copy, &host, &port)) {
		complain("%s is not an address to listen on: give ADDRESS:PORT, e.g. 127.0.0.1:9947 or "
			 "[::1]:9947", address);
		goto out;
	}
	err = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (err) {
		complain("cannot listen on %s: %s", address, gai_strerror(err));
		goto out;
	}
	errno = EADDRNOTAVAIL;
	for (info = list; fd < 0 && info; info = info->ai_next)
		/* without an address, IPv6 serves both if it is available */
		if (*host || info->ai_family == AF_INET6)
			fd = listen_at(info);
	for (info = list; fd < 0 && !*host && info && errno != EADDRINUSE; info = info->ai_next)
		fd = listen_at(info);
	if (fd < 0)
		complain("cannot listen on %s: %s%s", address, strerror(errno),
			 errno == EADDRINUSE ? " (another exporter? choose another with --listen)" :
					       "");
	if (list)
		freeaddrinfo(list);
out:
	free(copy);
	return fd;
}

void server_print_address(int socket, bool tls)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	char host[64], port[16];

	if (getsockname(socket, (struct sockaddr *)&address, &length) ||
	    getnameinfo((struct sockaddr *)&address, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	printf(strchr(host, ':') ? "serving %s://[%s]:%s/metrics\n" : "serving %s://%s:%s/metrics\n",
	       tls ? "https" : "http", host, port);
}

/* Clients */

static void unlink_client(struct client *client)
{
	client->prev->next = client->next;
	client->next->prev = client->prev;
}

/* Append a client, which restarts its time. */
static void append_client(struct server *server, struct client *client)
{
	client->since_ns = now_ns();
	client->next = &server->clients;
	client->prev = server->clients.prev;
	client->prev->next = client;
	server->clients.prev = client;
}

static void notify_connection(void *data, struct MHD_Connection *connection, void **context,
			      enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct server *server = data;
	struct client *client = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (client) {
			unlink_client(client);
			free(client);
		}
		server->counters.connections--;
		return;
	}
	server->counters.connections++;
	client = calloc(1, sizeof(*client));
	if (!client)
		out_of_memory();
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	client->fd = info ? info->connect_fd : -1;
	*context = client;
	append_client(server, client);
}

static void notify_completed(void *data, struct MHD_Connection *connection, void **context,
			     enum MHD_RequestTerminationCode code)
{
	const union MHD_ConnectionInfo *info;
	struct server *server = data;
	struct client *client;

	*context = NULL;
	if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
		return;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	client = info ? info->socket_context : NULL;
	if (!client)
		return;
	client->answered = true;
	unlink_client(client);
	append_client(server, client);
}

/* Shut down expired connections.  Return when the next one expires. */
static uint64_t drop_slow_clients(struct server *server)
{
	unsigned int left = server->counters.connections;
	uint64_t now = now_ns(), next = UINT64_MAX, until;
	struct client *client;

	for (client = server->clients.next; client != &server->clients; client = client->next) {
		if (client->fd < 0) {
			left--;
			continue;
		}
		until = client->since_ns +
			(left > SCARCE	    ? SCARCE_PATIENCE_NS :
			 client->answered ? SERVER_KEEP_NS :
					    SERVER_PATIENCE_NS);
		if (until > now) {
			if (until < next)
				next = until;
			continue;
		}
		shutdown(client->fd, SHUT_RDWR);
		client->fd = -1;
		left--;
		if (!client->answered)
			server->counters.dropped++;
	}
	return next;
}

/* Requests */

static enum MHD_Result send_reply(struct server *server, struct MHD_Connection *connection,
				  struct export_reply *reply)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	unsigned int i;

	response = MHD_create_response_from_buffer(reply->length, reply->body,
						   reply->owned ? MHD_RESPMEM_MUST_FREE :
								  MHD_RESPMEM_PERSISTENT);
	if (!response) {
		if (reply->owned)
			free(reply->body);
		return MHD_NO;
	}
	if (reply->type)
		MHD_add_response_header(response, "Content-Type", reply->type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	for (i = 0; i < EXPORT_MAX_HEADERS && reply->headers[i].name; i++)
		MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
	result = MHD_queue_response(connection, reply->status, response);
	MHD_destroy_response(response);
	if (result == MHD_YES && reply->status < 600)
		server->counters.requests[reply->status]++;
	return result;
}

/* Does the client have a certificate, if it needs one? */
static bool certified(const struct server *server, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info;
	unsigned int status;

	if (!server->config || !server->config->client_ca)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return info && !gnutls_certificate_verify_peers2(info->tls_session, &status) && !status;
}

/* May this client read?  If not, fill in the reply that it gets instead. */
static bool may_read(struct server *server, const struct export_request *request,
		     struct export_reply *reply)
{
	if (!certified(server, request->connection)) {
		export_text(reply, 403, "A certificate is required.\n");
		return false;
	}
	if (!server->auth)
		return true;
	switch (web_auth_check(server->auth, export_header(request, "Authorization"))) {
	case WEB_AUTH_GRANTED:
		return true;
	case WEB_AUTH_BUSY:
		export_text(reply, 429, "Too many passwords to check; try again.\n");
		reply->headers[0].name = "Retry-After";
		reply->headers[0].value = "1";
		return false;
	default:
		export_text(reply, 401, "A name and a password are required.\n");
		reply->headers[0].name = "WWW-Authenticate";
		reply->headers[0].value = "Basic realm=\"iommuscope\", charset=\"UTF-8\"";
		return false;
	}
}

/* Called twice after the headers have arrived; a body is not read. */
static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **context)
{
	struct export_request request = { .path = path, .connection = connection };
	struct export_reply reply = { .status = 200 };
	const struct export_route *route;
	struct server *server = data;

	(void)version;
	(void)upload;
	(void)upload_size;
	if (strcmp(method, "GET") && strcmp(method, "HEAD")) {
		export_text(&reply, 405, "Only GET and HEAD are served.\n");
		reply.headers[0].name = "Allow";
		reply.headers[0].value = "GET, HEAD";
		return send_reply(server, connection, &reply);
	}
	if (export_header(&request, "Content-Length") ||
	    export_header(&request, "Transfer-Encoding")) {
		export_text(&reply, 400, "A request must not have a body here.\n");
		return send_reply(server, connection, &reply);
	}
	/* an answer to the first call would close the connection */
	if (!*context) {
		*context = server;
		return MHD_YES;
	}
	if (!may_read(server, &request, &reply))
		return send_reply(server, connection, &reply);
	route = export_find_route(path);
	if (route)
		route->serve(server->exporter, &request, &reply);
	else
		export_text(&reply, 404, "There is nothing here; try /metrics.\n");
	return send_reply(server, connection, &reply);
}

/* The server */

/* A message of libmicrohttpd during the start explains a failure; later ones are about clients. */
static char mhd_says[256];

__attribute__((format(printf, 2, 0)))
static void keep_words(void *data, const char *format, va_list args)
{
	(void)data;
	vsnprintf(mhd_says, sizeof(mhd_says), format, args);
	mhd_says[strcspn(mhd_says, "\n")] = '\0';
}

static struct MHD_Daemon *start_daemon(struct server *server, int fd, unsigned int connections)
{
	const struct web_config *config = server->config;
	unsigned int flags = MHD_USE_EPOLL | MHD_USE_ERROR_LOG, nr = 0;
	struct MHD_OptionItem tls[5];

	if (config && config->certificate) {
		flags |= MHD_USE_TLS;
		tls[nr++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
						     config->certificate };
		tls[nr++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, config->key };
		tls[nr++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
						     (void *)config->priorities };
		if (config->client_ca)
			tls[nr++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
							     config->client_ca };
	}
	tls[nr] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, answer, server,
				/* the logger first: it also reports problems with options */
				MHD_OPTION_EXTERNAL_LOGGER, keep_words, NULL,
				MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_CONNECTION_LIMIT, connections,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
				MHD_OPTION_CONNECTION_TIMEOUT,
				(unsigned int)(SERVER_KEEP_NS / 1000000000),
				MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
				MHD_OPTION_NOTIFY_COMPLETED, notify_completed, server,
				MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

/* A connection takes one descriptor, and the BPF programs take some hundred. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

struct server *server_start(struct exporter *exporter, const struct web_config *config,
			    const int *sockets, size_t nr)
{
	struct epoll_event event = { .events = EPOLLIN };
	const union MHD_DaemonInfo *info;
	struct server *server;
	size_t i;

	server = calloc(1, sizeof(*server));
	if (!server)
		out_of_memory();
	raise_limit();
	server->exporter = exporter;
	server->config = config;
	server->auth = web_auth_new(config);
	server->clients.next = server->clients.prev = &server->clients;
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		goto failed;
	for (i = 0; i < nr; i++) {
		server->daemons[i] = start_daemon(server, sockets[i], SERVER_CONNECTIONS / nr);
		if (!server->daemons[i])
			goto failed;
		server->nr_daemons++;
		info = MHD_get_daemon_info(server->daemons[i], MHD_DAEMON_INFO_EPOLL_FD);
		if (!info || epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, info->epoll_fd, &event))
			goto failed;
	}
	return server;
failed:
	complain("cannot start the server: %s", *mhd_says ? mhd_says : strerror(errno));
	server_stop(server);
	return NULL;
}

int server_fd(const struct server *server)
{
	return server->epoll_fd;
}

uint64_t server_run(struct server *server)
{
	uint64_t next, until;
	MHD_UNSIGNED_LONG_LONG ms;
	size_t i;

	for (i = 0; i < server->nr_daemons; i++)
		MHD_run(server->daemons[i]);
	next = drop_slow_clients(server);
	for (i = 0; i < server->nr_daemons; i++) {
		if (MHD_get_timeout(server->daemons[i], &ms) != MHD_YES)
			continue;
		until = now_ns() + ms * 1000000;
		if (until < next)
			next = until;
	}
	return next;
}

const struct server_counters *server_counters(const struct server *server)
{
	return &server->counters;
}

void server_stop(struct server *server)
{
	size_t i;

	if (!server)
		return;
	for (i = 0; i < server->nr_daemons; i++)
		MHD_stop_daemon(server->daemons[i]);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	web_auth_free(server->auth);
	free(server);
}
