/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The manual page, the shell completion and the reference of keys, generated from the descriptions
 * of the commands.
 */
#ifndef IOMMUSCOPE_COMMANDS_MANUAL_H
#define IOMMUSCOPE_COMMANDS_MANUAL_H

/**
 * manual_page() - print the manual page, iommuscope(8)
 */
void manual_page(void);

/**
 * manual_completion() - print the completion for bash
 */
void manual_completion(void);

/**
 * manual_keys() - print the reference of the keys of JSON and CSV, docs/use/json.md
 */
void manual_keys(void);

#endif
