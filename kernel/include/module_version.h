/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The modules' version: the kernel whose uAPI they implement.  DKMS replaces a module of the kernel
 * only by one with a newer version; of the kernel's own modules, vfio has version 0.3 and the
 * others have none.
 */
#ifndef IOMMUSCOPE_MODULE_VERSION_H
#define IOMMUSCOPE_MODULE_VERSION_H

#define IOMMUSCOPE_MODULE_VERSION "6.12-iommuscope"

#endif
