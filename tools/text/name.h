/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names from outside: names of processes, cgroups, files and devices.
 *
 * Users choose these names freely.  Printed unchanged, a name could move the cursor of a terminal,
 * set its title, hide other text, or break a line in two.  So each name is cleaned where it
 * enters, from the kernel or from a file.  Text, CSV, labels and JSON show the clean name.
 *
 * A clean name is printable UTF-8.  It has no control character (C0, DEL, C1), no character that
 * changes the direction of text or has no width, no line separator, and no invalid UTF-8.
 */
#ifndef IOMMUSCOPE_TEXT_NAME_H
#define IOMMUSCOPE_TEXT_NAME_H

#include <stddef.h>

/**
 * name_clean() - clean a short name in place
 * @name: the name; its last byte, at @size - 1, is set to zero
 * @size: size of its buffer
 *
 * Each byte that is not part of a printable character becomes "?", so the length stays the same.
 */
void name_clean(char *name, size_t size);

/* For a member that is an array. */
#define NAME_CLEAN(array) name_clean((array), sizeof(array))

/**
 * name_escape() - clean a name that must stay unique
 * @to: filled in
 * @size: its size; what does not fit is cut off
 * @from: the name
 *
 * Each byte that is not part of a printable character becomes "\xHH".  So does a backslash that
 * would look like such an escape; other backslashes stay.  Different names stay different.
 */
void name_escape(char *to, size_t size, const char *from);

#endif
