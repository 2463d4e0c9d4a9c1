/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit statuses of the program.
 */
#ifndef IOMMUSCOPE_TEXT_EXIT_STATUS_H
#define IOMMUSCOPE_TEXT_EXIT_STATUS_H

enum exit_status {
	/* after one clear line on standard error */
	EXIT_FAILED = 1,
	/* the command line is wrong */
	EXIT_USAGE = 2,
};

#endif
