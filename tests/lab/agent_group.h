/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control group of a command that the agent runs. All that the command started is in it,
 * including processes that have detached themselves.
 */
#ifndef LAB_AGENT_GROUP_H
#define LAB_AGENT_GROUP_H

#include <stdbool.h>
#include <stddef.h>

/**
 * group_create() - make the group of a command
 * @number: the command's number
 */
void group_create(unsigned int number);

/**
 * group_join() - put the calling process into the group of a command
 * @number: the command's number
 */
void group_join(unsigned int number);

/**
 * group_empties() - wait until the last process of a group has gone
 * @number: the command's number
 * @patience_ms: the longest time to wait
 *
 * Return: false when some still run.
 */
bool group_empties(unsigned int number, unsigned int patience_ms);

/**
 * group_list() - name the processes of a group
 * @number: the command's number
 * @buf: where the names go, one per line; if they do not fit, the last are left out
 * @size: bytes in @buf
 *
 * Return: the length of the text.
 */
size_t group_list(unsigned int number, char *buf, size_t size);

/**
 * group_kill() - kill what is left in a group
 * @number: the command's number
 */
void group_kill(unsigned int number);

/**
 * group_remove() - remove a group, once the processes that were killed have gone
 * group_remove() - remove a group once its killed processes have ended
 */
void group_remove(unsigned int number);

#endif
