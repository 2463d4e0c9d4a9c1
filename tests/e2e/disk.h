/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test data on disks, and how tests compare it.
 */
#ifndef IOMMUSCOPE_E2E_DISK_H
#define IOMMUSCOPE_E2E_DISK_H

#include <stddef.h>
#include <stdint.h>

#define DISK_SHA256_SIZE 65

/**
 * disk_sha256() - what sha256sum prints for some bytes
 * @data: the bytes
 * @length: how many
 * @sum: is set to the sum in hexadecimal
 *
 * Fails the test if sha256sum does not run.
 */
void disk_sha256(const void *data, size_t length, char sum[DISK_SHA256_SIZE]);

/**
 * disk_word() - the word that the tests write to a location of the disk
 * @place: number of the word, of eight bytes
 *
 * Return: the word: different for every location, and never DISK_POISON
 */
uint64_t disk_word(uint64_t place);

/* The fill of a buffer before a read. */
#define DISK_POISON 0xdeadbeefdeadbeefULL

#endif
