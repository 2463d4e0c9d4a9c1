/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The modules' version: the kernel whose uAPI they speak.  DKMS puts a module in the place of the
 * kernel's own only when its version is a newer one; of those, vfio has 0.3 and the others none.
 */
#ifndef IOMMUSCOPE_MODULE_VERSION_H
#define IOMMUSCOPE_MODULE_VERSION_H

#define IOMMUSCOPE_MODULE_VERSION "6.12-iommuscope"

#endif
