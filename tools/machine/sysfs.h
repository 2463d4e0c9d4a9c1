/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading of sysfs, procfs etc.: a line of a file, the target of a link, a directory.
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
 * sysfs_link() - read the target of a link
 * @name: set to the last part of the target; to "" if there is none
 * @size: size of @name
 * @format: path, as for printf
 *
 * Return: whether there is such a link.
 */
bool sysfs_link(char *name, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * sysfs_exists() - does a file exist?
 * @format: path, as for printf
 *
 * Return: whether it exists.
 */
bool sysfs_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * sysfs_device() - device number of a member of a class
 * @class: the class, e.g. "misc"
 * @name: name of the member
 *
 * Return: the number, 0 if there is none.
 */
dev_t sysfs_device(const char *class, const char *name);

/**
 * type1_entry_limit() - limit of areas in a container of VFIO's type1
 *
 * Return: the module parameter, 0 if it cannot be read.
 */
uint32_t type1_entry_limit(void);

/**
 * struct sysfs_names - entries of a directory
 * @names: the names, sorted with numbers by their value
 * @nr: number of names
 */
struct sysfs_names {
	char **names;
	size_t nr;
};

/**
 * sysfs_list() - list a directory
 * @names: filled in; empty if there is no such directory
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
