/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names from outside: of processes, cgroups, files and devices.
 *
 * Users choose them, byte by byte.  Printed as they are, they could move the cursor of a terminal, set
 * its title, hide what stands beside them, or break a line in two.  So each name is cleaned where it
 * comes in, from the kernel or from a file.  Text, CSV, labels and JSON show the clean name.
 *
 * A clean name is printable UTF-8: it has no control character (C0, DEL, C1), none that changes the
 * direction of text or has no width, no separator of lines, and nothing that is no UTF-8.
 */
#ifndef IOMMUSCOPE_TEXT_NAME_H
#define IOMMUSCOPE_TEXT_NAME_H

#include <stddef.h>

/**
 * name_clean() - clean a short name in its place
 * @name: the name; it ends with a zero byte at the latest where @size ends, which is set
 * @size: its room
 *
 * Each byte of what is not printable becomes "?", so that the name keeps its length.
 */
void name_clean(char *name, size_t size);

/* For a member that is an array. */
#define NAME_CLEAN(array) name_clean((array), sizeof(array))

/**
 * name_escape() - clean a name that has to stay one of its own
 * @to: filled in
 * @size: its room; what finds none is cut off
 * @from: the name
 *
 * Each byte of what is not printable becomes "\xHH".  So does a backslash that would look like one of
 * those; others stay, as in the "machine-qemu\x2d1" of systemd.  Different names stay different.
 */
void name_escape(char *to, size_t size, const char *from);

#endif
