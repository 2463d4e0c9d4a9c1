// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's guest agent: process 1 of the guest. It runs commands that the
 * host asks for and sends their streams and exit status back.
 *
 * Model: one port (virtio-serial) to the host carries frames, and a second port receives the
 * kernel log as it is printed. One command runs at a time, in a control group of its own. When it
 * ends, is interrupted or loses its host, nothing of it survives into the next command.
 * Everything runs from one poll loop; there are no threads and no locks.
 *
 * A frame is one byte of type, three bytes of zero, a 32-bit little-endian length, and that many
 * bytes. labvm/agent.py lists the types; the two files change together. A host that connects
 * sends a greeting that can be found anywhere in the stream, because a host that died may have
 * left half a frame behind. Input for a command is flow-controlled by credit: signals get through
 * even if the command does not read.
 */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent_group.h"

#define GREETING_LEN	32
#define GREETING_MAGIC	16
#define HEADER_LEN	8
#define RUN_HEADER_LEN	24
#define INPUT_WINDOW	65536
#define FRAME_MAX	(1u << 20)
#define CHUNK		32768
/* After this many looks without a host, the host counts as gone. */
#define MISSING_LOOKS	50
#define MISSING_MS	20

/* init.sh opens these */
#define LOWER_FD	8
#define UPPER_FD	9

enum {
	RUN_TTY = 1,
};

/**
 * struct agent - everything the agent knows
 * @port: the host's port, non-blocking
 * @log: where the kernel log goes, or -1
 * @kmsg: the kernel log, or -1
 * @sigfd: SIGCHLD and SIGTERM as a descriptor
 * @connected: a host has sent its greeting and has not disconnected since
 * @missing: looks in a row that found no host although one is connected
 * @in: bytes from the host that are not yet a whole frame
 * @in_len: how many
 * @pid: the command that runs, or 0
 * @status: its wait status, valid once @reaped is set
 * @reaped: it has ended, and its status was collected
 * @tty: its streams are one pseudo terminal
 * @fd_in: its standard input, or -1
 * @fd_out: its standard output (or the terminal), or -1
 * @fd_out: its standard output (or the terminal), or -1
 * @input: bytes for its standard input
 * @input_len: how many wait
 * @input_eof: nothing follows them
 * @grace_ms: how long processes that it leaves may take to end before they are reported;
 * 0: they are killed without a report
 * @runs: number of commands so far, names the control group
 */
struct agent {
	int port, log, kmsg, sigfd;
	bool connected;
	unsigned int missing;
	unsigned char in[FRAME_MAX + HEADER_LEN];
	size_t in_len;
	pid_t pid;
	int status;
	bool reaped, tty;
	int fd_in, fd_out, fd_err;
	unsigned char input[INPUT_WINDOW];
	size_t input_len;
	bool input_eof;
	unsigned int grace_ms;
	unsigned int runs;
};

static struct agent agent;

static void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("lab-agent: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Kill whatever the current command has left behind. */
static void kill_leftovers(void)
{
	group_kill(agent.runs);
	if (agent.pid && !agent.reaped)
		kill(agent.pid, SIGKILL);
}

static void disconnected(void)
{
	agent.connected = false;
	agent.missing = 0;
	agent.in_len = 0;
	if (agent.pid)
		kill_leftovers();
}

/*
 * A look found no host. The kernel reports data and connections on separate paths: data of a new
 * host can arrive before the report that the previous host has gone. So a missing host counts
 * only when it stays missing; otherwise the session of the new host would end without a notice.
 * If the host has really gone, the delay costs nothing, since the next one sends a greeting.
 */
static void host_missing(void)
{
	if (agent.connected && ++agent.missing > MISSING_LOOKS)
		disconnected();
	usleep(MISSING_MS * 1000);
}

/*
 * Send bytes to the host, waiting until it takes them. If the host disconnects in the middle, the
 * session ends and the bytes are dropped.
 */
static void port_write(const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len && agent.connected) {
		ssize_t n = write(agent.port, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n < 0 && errno == EINTR) {
			continue;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = agent.port, .events = POLLOUT };

			poll(&pfd, 1, -1);
			if (pfd.revents & POLLHUP)
				host_missing();
			else
				agent.missing = 0;
		} else {
			disconnected();
		}
	}
}

static void send_frame(char type, const void *data, uint32_t len)
{
	unsigned char buf[HEADER_LEN + CHUNK] = { type };
	uint32_t le = htole32(len);

	memcpy(buf + 4, &le, sizeof(le));
	/* one write per frame: every write is a trip through the emulator */
	if (len <= CHUNK) {
		if (len)
			memcpy(buf + HEADER_LEN, data, len);
		port_write(buf, HEADER_LEN + len);
	}
}

static void send_u32(char type, uint32_t value)
{
	value = htole32(value);
	send_frame(type, &value, sizeof(value));
}

/* Copy what the kernel has printed since the last call to the log port. */
static void drain_kmsg(void)
{
	char rec[8192], line[8448];

	while (agent.kmsg >= 0 && agent.log >= 0) {
		ssize_t n = read(agent.kmsg, rec, sizeof(rec) - 1);
		unsigned int prio;
		unsigned long long seq, usec;
		char *text, *end;
		int len;

		if (n < 0 && errno == EPIPE) {
			/* the ring buffer overran us: report it */
			len = snprintf(line, sizeof(line), "<4>[lab-agent] kernel log records lost\n");
		} else if (n <= 0) {
			return;
		} else {
			rec[n] = '\0';
			text = strchr(rec, ';');
			if (!text || sscanf(rec, "%u,%llu,%llu", &prio, &seq, &usec) != 3)
				continue;
			end = strchr(++text, '\n');
			if (end)
				*end = '\0';
			len = snprintf(line, sizeof(line), "<%u>[%5llu.%06llu] %s\n", prio,
				       usec / 1000000, usec % 1000000, text);
		}
		for (const char *p = line; len > 0;) {
			n = write(agent.log, p, len);
			if (n <= 0)
				return;
			p += n;
			len -= n;
		}
	}
}

static void finish_run(void)
{
	char names[4096];

	/* processes that are about to end get time for it; the others are reported */
	if (agent.grace_ms && !group_empties(agent.runs, agent.grace_ms))
		send_frame('L', names, group_list(agent.runs, names, sizeof(names)));
	kill_leftovers();
	close_fd(&agent.fd_in);
	close_fd(&agent.fd_out);
	close_fd(&agent.fd_err);
	group_remove(agent.runs);
	drain_kmsg();
	agent.pid = 0;
	send_u32('X', agent.status);
}

/* Pass on what is pending in a stream of the command. Returns false at its end. */
static bool pump_output(int *fd, char type)
{
	unsigned char buf[CHUNK];
	ssize_t n = read(*fd, buf, sizeof(buf));

	if (n > 0) {
		send_frame(type, buf, n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close_fd(fd);
	return false;
}

static void drain_outputs(void)
{
	while (agent.fd_out >= 0 && pump_output(&agent.fd_out, 'O'))
		;
	while (agent.fd_err >= 0 && pump_output(&agent.fd_err, 'E'))
		;
}

static void pump_input(void)
{
	ssize_t n;

	if (agent.fd_in < 0) {
		agent.input_len = 0;
		return;
	}
	if (agent.input_len) {
		n = write(agent.fd_in, agent.input, agent.input_len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			close_fd(&agent.fd_in);
			n = agent.input_len;
		}
		agent.input_len -= n;
		memmove(agent.input, agent.input + n, agent.input_len);
		send_u32('C', n);
	}
	if (!agent.input_len && agent.input_eof && agent.fd_in >= 0) {
		/* a terminal has no end of file, only the character for it */
		if (agent.tty && write(agent.fd_in, "\4", 1) < 0)
			complain("end of file: %s", strerror(errno));
		close_fd(&agent.fd_in);
	}
}

static void child_exec(char *cwd, char **argv, char **envp)
{
	sigset_t none;
	const char *env_path = NULL;

	group_join(agent.runs);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	if (chdir(cwd) && chdir("/"))
		_exit(126);
	for (char **e = envp; *e; e++)
		if (!strncmp(*e, "PATH=", 5))
			env_path = *e + 5;
	if (env_path)
		setenv("PATH", env_path, 1);
	execvpe(argv[0], argv, envp);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void set_nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int spawn_pipes(char *cwd, char **argv, char **envp)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		goto fail;
	pid = fork();
	if (pid < 0)
		goto fail;
	if (!pid) {
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		child_exec(cwd, argv, envp);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	agent.fd_in = in[1];
	agent.fd_out = out[0];
	agent.fd_err = err[0];
	set_nonblock(agent.fd_in);
	set_nonblock(agent.fd_out);
	set_nonblock(agent.fd_err);
	agent.pid = pid;
	return 0;
fail:
	for (int i = 0; i < 2; i++) {
		close_fd(&in[i]);
		close_fd(&out[i]);
		close_fd(&err[i]);
	}
	return -1;
}

static int spawn_tty(char *cwd, char **argv, char **envp, uint32_t rows, uint32_t cols)
{
	struct winsize ws = { .ws_row = rows, .ws_col = cols };
	int master;
	pid_t pid = forkpty(&master, NULL, NULL, &ws);

	if (pid < 0)
		return -1;
	if (!pid)
		child_exec(cwd, argv, envp);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	set_nonblock(master);
	agent.fd_out = master;
	agent.fd_in = fcntl(master, F_DUPFD_CLOEXEC, 0);
	agent.fd_err = -1;
	agent.pid = pid;
	return 0;
}

static uint32_t get_u32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/*
 * A run frame: flags, rows, columns, grace in milliseconds, number of arguments, number of
 * environment strings (32 bits each), then the working directory, the arguments and
 * the environment, each ended by a zero byte.
 */
static int start_run(unsigned char *data, size_t len)
{
	uint32_t flags, rows, cols, argc, envc, have = 0;
	char **strings, *p;
	int ret;

	if (len < RUN_HEADER_LEN + 1 || data[len - 1] != '\0' || agent.pid) {
		errno = EPROTO;
		return -1;
	}
	flags = get_u32(data);
	rows = get_u32(data + 4);
	cols = get_u32(data + 8);
	argc = get_u32(data + 16);
	envc = get_u32(data + 20);
	for (size_t i = RUN_HEADER_LEN; i < len; i++)
		have += !data[i];
	if (!argc || argc > have || envc > have || have != 1 + argc + envc) {
		errno = EPROTO;
		return -1;
	}
	/* the working directory, arguments, NULL, environment, NULL */
	strings = calloc(have + 2, sizeof(*strings));
	if (!strings)
		return -1;
	p = (char *)data + RUN_HEADER_LEN;
	for (uint32_t i = 0, at = 0; i < have; i++, p += strlen(p) + 1) {
		strings[at++] = p;
		if (i == argc)
			at++;
	}
	agent.grace_ms = get_u32(data + 12);
	agent.runs++;
	agent.reaped = false;
	agent.tty = flags & RUN_TTY;
	agent.input_len = 0;
	agent.input_eof = false;
	group_create(agent.runs);
	ret = agent.tty ? spawn_tty(strings[0], strings + 1, strings + argc + 2, rows, cols) :
			  spawn_pipes(strings[0], strings + 1, strings + argc + 2);
	free(strings);
	return ret;
}

static void power_off(void)
{
	drain_kmsg();
	sync();
	reboot(RB_POWER_OFF);
}

static void handle_frame(char type, unsigned char *data, size_t len)
{
	switch (type) {
	case 'R':
		if (start_run(data, len))
			send_u32('F', errno);
		break;
	case 'I':
		if (!len) {
			agent.input_eof = true;
		} else if (agent.pid && len <= INPUT_WINDOW - agent.input_len) {
			memcpy(agent.input + agent.input_len, data, len);
			agent.input_len += len;
		}
		if (agent.pid)
			pump_input();
		break;
	case 'S':
		if (agent.pid && !agent.reaped && len == 4)
			kill(-agent.pid, get_u32(data));
		break;
	case 'W':
		if (agent.pid && agent.tty && agent.fd_out >= 0 && len == 8) {
			struct winsize ws = { .ws_row = get_u32(data), .ws_col = get_u32(data + 4) };

			ioctl(agent.fd_out, TIOCSWINSZ, &ws);
		}
		break;
	case 'P':
		power_off();
		break;
	default:
		complain("unknown frame type %d", type);
	}
}

static unsigned char *find_greeting(void)
{
	unsigned char magic[GREETING_MAGIC];

	/* computed, so that this program's own image does not contain it */
	for (unsigned int i = 0; i < sizeof(magic); i++)
		magic[i] = 0xa7 ^ (i * 29);
	return memmem(agent.in, agent.in_len, magic, sizeof(magic));
}

static void greet(unsigned char *at)
{
	unsigned char nonce[GREETING_LEN];
	size_t used = at - agent.in + GREETING_LEN;

	memcpy(nonce, at, GREETING_LEN);
	agent.in_len -= used;
	memmove(agent.in, agent.in + used, agent.in_len);
	if (agent.pid) {
		/* the command of a host that disconnected unnoticed */
		agent.connected = false;
		kill_leftovers();
		if (!agent.reaped)
			waitpid(agent.pid, &agent.status, 0);
		finish_run();
	}
	agent.connected = true;
	send_frame('H', nonce, sizeof(nonce));
}

/*
 * Take what the host sent. Without a host the port is always readable and returns nothing, and no
 * event reports a new host: look again after a while.
 */
static void port_readable(void)
{
	ssize_t n = read(agent.port, agent.in + agent.in_len, sizeof(agent.in) - agent.in_len);
	unsigned char *at;

	if (n <= 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		host_missing();
		return;
	}
	agent.in_len += n;
	/* a host that waits for long sends its greeting more than once */
	while ((at = find_greeting())) {
		if (agent.in_len - (at - agent.in) < GREETING_LEN)
			return;
		greet(at);
	}
	while (agent.connected && agent.in_len >= HEADER_LEN) {
		uint32_t len = get_u32(agent.in + 4);

		if (len > FRAME_MAX) {
			complain("frame of %u bytes", len);
			disconnected();
			return;
		}
		if (agent.in_len < HEADER_LEN + len)
			return;
		handle_frame(agent.in[0], agent.in + HEADER_LEN, len);
		agent.in_len -= HEADER_LEN + len;
		memmove(agent.in, agent.in + HEADER_LEN + len, agent.in_len);
	}
	/* bytes before any greeting have no meaning; keep what may be the start of a greeting */
	if (!agent.connected && agent.in_len > GREETING_LEN) {
		memmove(agent.in, agent.in + agent.in_len - GREETING_LEN, GREETING_LEN);
		agent.in_len = GREETING_LEN;
	}
}

static void reap(void)
{
	struct signalfd_siginfo si;
	int status;
	pid_t pid;

	while (read(agent.sigfd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo == SIGTERM)
			power_off();
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == agent.pid) {
			agent.status = status;
			agent.reaped = true;
		}
	}
	if (agent.pid && agent.reaped) {
		drain_outputs();
		finish_run();
	}
}

/* Find a port by the name the host gave it: there is no udev to make links. */
static int open_port(const char *want, int flags)
{
	static const char dir[] = "/sys/class/virtio-ports";
	struct dirent *ent;
	DIR *d = opendir(dir);
	int fd = -1;

	if (!d)
		return -1;
	while (fd < 0 && (ent = readdir(d))) {
		char path[PATH_MAX], name[64] = "";
		FILE *f;

		if (ent->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/name", dir, ent->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, want, strlen(want))) {
			snprintf(path, sizeof(path), "/dev/%s", ent->d_name);
			fd = open(path, flags | O_CLOEXEC);
		}
		fclose(f);
	}
	closedir(d);
	return fd;
}

static void loop(void)
{
	for (;;) {
		struct pollfd pfd[] = {
			{ .fd = agent.sigfd, .events = POLLIN },
			{ .fd = agent.kmsg, .events = POLLIN },
			{ .fd = agent.fd_out, .events = POLLIN },
			{ .fd = agent.fd_err, .events = POLLIN },
			{ .fd = agent.input_len ? agent.fd_in : -1, .events = POLLOUT },
			{ .fd = agent.port, .events = POLLIN },
		};

		if (poll(pfd, 6, -1) < 0)
			continue;
		if (pfd[1].revents & POLLIN)
			drain_kmsg();
		if (pfd[2].revents)
			pump_output(&agent.fd_out, 'O');
		if (pfd[3].revents)
			pump_output(&agent.fd_err, 'E');
		if (pfd[4].revents)
			pump_input();
		if (!(pfd[5].revents & POLLHUP))
			agent.missing = 0;
		if (pfd[5].revents)
			port_readable();
		if (pfd[0].revents)
			reap();
	}
}

int main(void)
{
	sigset_t set;

	/* lab-state reads the layers of the root through these; commands do not inherit them */
	fcntl(LOWER_FD, F_SETFD, FD_CLOEXEC);
	fcntl(UPPER_FD, F_SETFD, FD_CLOEXEC);
	agent.fd_in = -1;
	agent.fd_out = -1;
	agent.fd_err = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	agent.sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	agent.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	agent.log = open_port("iommuscope.log", O_WRONLY);
	agent.port = open_port("iommuscope.agent", O_RDWR | O_NONBLOCK);
	if (agent.port < 0 || agent.sigfd < 0) {
		complain("no port to the host");
		reboot(RB_POWER_OFF);
		return 1;
	}
	drain_kmsg();
	loop();
	return 0;
}
