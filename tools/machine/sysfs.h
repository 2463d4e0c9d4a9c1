/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What sysfs and its like say: one line of a file, the name behind a link, the names in a folder.
 */
#ifndef IOMMUSCOPE_MACHINE_SYSFS_H
#define IOMMUSCOPE_MACHINE_SYSFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * sysfs_line() - read the first line of a file
 * @line: set to the line, without its newline; to "" if there is none
 * @size: size of @line
 * @format: path, as for printf
 *
 * Return: whether the file could be read.
 */
bool sysfs_line(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * sysfs_link() - read where a link points to
 * @name: set to the last part of the target; to "" if there is none
 * @size: size of @name
 * @format: path, as for printf
 *
 * Return: whether there is such a link.
 */
bool sysfs_link(char *name, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * sysfs_exists() - is there a file?
 * @format: path, as for printf
 *
 * Return: whether it is there.
 */
bool sysfs_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * sysfs_device() - device number of what a class has
 * @class: the class, e.g. "misc"
 * @name: name of what it has
 *
 * Return: the number, 0 if there is none.
 */
dev_t sysfs_device(const char *class, const char *name);

/**
 * type1_entry_limit() - how many areas a container of VFIO's type1 may have
 *
 * Return: what the module's parameter says, 0 if it does not.
 */
uint32_t type1_entry_limit(void);

/**
 * struct sysfs_names - what is in a folder
 * @names: the names, sorted with numbers by their value
 * @nr: how many
 */
struct sysfs_names {
	char **names;
	size_t nr;
};

/**
 * sysfs_list() - list a folder
 * @names: filled in; empty if there is no such folder
 * @format: path, as for printf
 */
void sysfs_list(struct sysfs_names *names, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * sysfs_list_free() - free a list
 * @names: the list
 */
void sysfs_list_free(struct sysfs_names *names);

#endif
