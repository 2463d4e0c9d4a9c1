/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical functions that have virtual ones.
 */
#ifndef IOMMUSCOPE_E2E_SRIOV_H
#define IOMMUSCOPE_E2E_SRIOV_H

#include "vfio.h"

/**
 * sriov_find() - the first physical function of the machine
 * @pf: is set to its address
 *
 * Return: 0, or -ENODEV if there is none
 */
int sriov_find(char *pf);

/**
 * sriov_enable() - switch virtual functions on, or all off
 * @pf: the physical function
 * @nr: how many
 *
 * Return: 0 or a negative errno
 */
int sriov_enable(const char *pf, unsigned int nr);

/**
 * sriov_vf() - a virtual function
 * @pf: the physical function
 * @n: index of the virtual function
 * @vf: is set to its address
 *
 * Return: 0 or a negative errno
 */
int sriov_vf(const char *pf, unsigned int n, char *vf);

/**
 * sriov_vfs_of_host() - two virtual functions bound to vfio-pci, of a physical one that the host
 * has
 * @pf: is set to the address of the physical function
 * @vf: are set to the addresses of the virtual ones
 *
 * Return: 0, -ENODEV if there is no such device
 */
int sriov_vfs_of_host(char *pf, char vf[2][PCI_BDF_SIZE]);

#endif
