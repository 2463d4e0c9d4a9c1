/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Declarations shared by the files of the vfio-pci-core module.  docs/inside/vfio.md describes the
 * whole model.
 *
 * A struct vfio_pci_core_device (include/linux/vfio_pci_core.h) exists as long as a driver has the
 * PCI device; most of the data it points to exists while a user has it open.
 *
 * Locks, outermost first:
 *
 *	vfio_device_set.lock > vfio_pci_cfg.lock > igate > ioeventfds_lock > memory_lock > irqlock
 *	mmap_lock > memory_lock
 *
 * memory_lock is held for read around every single access to the device's memory and around every
 * page that a fault inserts.  It is held for write by everything that makes the memory disappear or
 * reappear: the command register, resets, power states.  The new state of the memory is decided
 * under the lock, from the current registers.  Code that disables the memory first unmaps the
 * user's mappings.  The next fault finds the memory disabled and raises SIGBUS, or finds it enabled
 * again and inserts the page.  Nothing that could fault on user memory happens under this lock.
 *
 * vfio_pci_cfg.lock serialises the user's accesses to configuration space, each with all its side
 * effects.  igate guards the setup of interrupts, err_trigger and req_trigger.  irqlock guards the
 * INTx state, which the interrupt handler changes.  It also guards read-modify-write cycles of the
 * device's command register, which the handler changes too.
 *
 * A fatal signal ends every wait of a user's call for these locks.
 */
#ifndef IOMMUSCOPE_VFIO_PCI_CORE_PRIVATE_H
#define IOMMUSCOPE_VFIO_PCI_CORE_PRIVATE_H

#include <linux/irqbypass.h>
#include <linux/pci.h>
#include <linux/types.h>
#include <linux/unaligned.h>
#include <linux/vfio_pci_core.h>

#include "op.h"

struct eventfd_ctx;

/* The first index after the fixed regions; the driver's own regions start here. */
#define VFIO_PCI_FIRST_DEV_REGION	VFIO_PCI_NUM_REGIONS

/* No interrupt is set up; the other values of irq_type are the indexes of the uAPI. */
#define VFIO_PCI_IRQ_NONE		VFIO_PCI_NUM_IRQS

/**
 * struct vfio_pci_cfg_byte - what a user may do to a byte of configuration space
 * @virt: virtual bits, which come from vconfig and not from the device
 * @write: bits that the user may change
 * @hook: enum vfio_pci_cfg_hook, for side effects of a write
 */
struct vfio_pci_cfg_byte {
	u8 virt;
	u8 write;
	u8 hook;
};

/**
 * struct vfio_pci_cfg - the configuration space of an open device
 * @lock: held around each access of the user
 * @map: one entry for each byte, constant
 *
 * vfio_pci_core_device.pci_config_map points to it.
 */
struct vfio_pci_cfg {
	struct mutex lock;
	struct vfio_pci_cfg_byte map[];
};

/**
 * enum vfio_pci_space - the decoding that an access to the device needs
 * @VFIO_PCI_SPACE_ANY: none, or the caller has checked it
 * @VFIO_PCI_SPACE_IO: I/O decoding
 * @VFIO_PCI_SPACE_MEMORY: memory decoding
 */
enum vfio_pci_space {
	VFIO_PCI_SPACE_ANY,
	VFIO_PCI_SPACE_IO,
	VFIO_PCI_SPACE_MEMORY,
};

/**
 * struct vfio_pci_forced - state of a device before its memory was forced on
 * @command: its command register
 * @state: its power state
 */
struct vfio_pci_forced {
	u16 command;
	pci_power_t state;
};

enum vfio_pci_cfg_hook {
	CFG_HOOK_NONE,
	CFG_HOOK_COMMAND,
	CFG_HOOK_BAR,
	CFG_HOOK_POWER,
	CFG_HOOK_MSI,
	CFG_HOOK_EXP,
	CFG_HOOK_AF,
	CFG_HOOK_VPD,
	CFG_NR_HOOKS,
};

/**
 * struct vfio_pci_irq - an interrupt that is set up
 * @vdev: the device
 * @trigger: eventfd that the interrupt signals, referenced; may be NULL for INTx
 * @unmask: INTx: unmasks when the user signals an eventfd
 * @mask: INTx: masks when the user signals an eventfd
 * @producer: MSI: lets KVM connect the interrupt directly to a virtual CPU
 * @name: name in /proc/interrupts
 * @irq: Linux interrupt number
 * @masked: INTx: masked by an interrupt or by the user; guarded by irqlock
 * @quiet: INTx: the device or the interrupt controller is masked; guarded by irqlock
 */
struct vfio_pci_irq {
	struct vfio_pci_core_device *vdev;
	struct eventfd_ctx *trigger;
	struct virqfd *unmask;
	struct virqfd *mask;
	struct irq_bypass_producer producer;
	char *name;
	int irq;
	bool masked;
	bool quiet;
};

static inline struct vfio_pci_core_device *to_core(struct vfio_device *device)
{
	return container_of(device, struct vfio_pci_core_device, vdev);
}

static inline struct vfio_pci_cfg *vfio_pci_cfg(struct vfio_pci_core_device *vdev)
{
	return (struct vfio_pci_cfg *)vdev->pci_config_map;
}

static inline struct vfio_pci_cfg_byte *vfio_pci_cfg_map(struct vfio_pci_core_device *vdev)
{
	return vfio_pci_cfg(vdev)->map;
}

static inline bool vfio_pci_has_bar(struct vfio_pci_core_device *vdev, int bar)
{
	return pci_resource_len(vdev->pdev, bar) != 0;
}

/* params.c */
extern bool vfio_pci_nointxmask;
extern bool vfio_pci_disable_vga;
extern bool vfio_pci_disable_idle_d3;

/* The virtual configuration space of an open device. */
static inline u16 vfio_pci_vconfig_word(struct vfio_pci_core_device *vdev, int pos)
{
	return get_unaligned_le16(vdev->vconfig + pos);
}

static inline u32 vfio_pci_vconfig_dword(struct vfio_pci_core_device *vdev, int pos)
{
	return get_unaligned_le32(vdev->vconfig + pos);
}

static inline void vfio_pci_vconfig_set_word(struct vfio_pci_core_device *vdev, int pos, u16 val)
{
	put_unaligned_le16(val, vdev->vconfig + pos);
}

static inline void vfio_pci_vconfig_set_dword(struct vfio_pci_core_device *vdev, int pos, u32 val)
{
	put_unaligned_le32(val, vdev->vconfig + pos);
}

/* config.c, config_map.c */
int vfio_pci_config_open(struct vfio_pci_core_device *vdev);
void vfio_pci_config_close(struct vfio_pci_core_device *vdev);
ssize_t vfio_pci_config_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			   loff_t *ppos, bool iswrite);

/* config_access.c */
int vfio_pci_config_step(int pos, int count);
int vfio_pci_config_load(struct vfio_pci_core_device *vdev, int pos, int count, u8 *val);
int vfio_pci_config_store(struct vfio_pci_core_device *vdev, int pos, int count, const u8 *val);

/* config_hooks.c */
int vfio_pci_config_hook(struct vfio_pci_core_device *vdev, int hook, int pos, int count,
			 const u8 *val);
void vfio_pci_bar_fix_up(struct vfio_pci_core_device *vdev);

/* memory.c: enabling and disabling the device's memory */
bool vfio_pci_space_enabled(struct vfio_pci_core_device *vdev, enum vfio_pci_space space);
int vfio_pci_memory_shut(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_zap(struct vfio_pci_core_device *vdev);
void vfio_pci_memory_force(struct vfio_pci_core_device *vdev, struct vfio_pci_forced *before);
int vfio_pci_memory_force_killable(struct vfio_pci_core_device *vdev,
				   struct vfio_pci_forced *before);
void vfio_pci_memory_unforce(struct vfio_pci_core_device *vdev,
			     const struct vfio_pci_forced *before);
void vfio_pci_clear_master(struct vfio_pci_core_device *vdev);

/* mmap.c */
void vfio_pci_bar_probe_mmap(struct vfio_pci_core_device *vdev);

/* bar.c, rom.c, vga.c */
ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite);
void vfio_pci_bar_close(struct vfio_pci_core_device *vdev);
enum vfio_pci_space vfio_pci_bar_space(struct vfio_pci_core_device *vdev, int bar);
ssize_t vfio_pci_do_io_rw(struct vfio_pci_core_device *vdev, enum vfio_pci_space space,
			  void __iomem *io, char __user *buf, loff_t off, size_t count,
			  size_t x_start, size_t x_end, bool iswrite, unsigned int max_width);
size_t vfio_pci_rom_size(struct vfio_pci_core_device *vdev);
ssize_t vfio_pci_rom_read(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			  loff_t *ppos);
ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, char __user *buf, size_t count,
			loff_t *ppos, bool iswrite);
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev);
void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev);

/* region.c */
void vfio_pci_regions_close(struct vfio_pci_core_device *vdev);

/* ioeventfd.c */
long vfio_pci_ioeventfd(struct vfio_pci_core_device *vdev,
			struct vfio_device_ioeventfd __user *arg);
void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev);

/* info.c */
long vfio_pci_get_info(struct vfio_pci_core_device *vdev, struct vfio_device_info __user *arg);
long vfio_pci_get_region_info(struct vfio_pci_core_device *vdev,
			      struct vfio_region_info __user *arg);
long vfio_pci_get_irq_info(struct vfio_pci_core_device *vdev, struct vfio_irq_info __user *arg);

/* irq.c */
int vfio_pci_irq_count(struct vfio_pci_core_device *vdev, unsigned int index);
long vfio_pci_set_irqs(struct vfio_pci_core_device *vdev, struct vfio_irq_set __user *arg);
void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev);

/* intx.c */
int vfio_pci_intx_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			  const struct vfio_irq_set *set, void *data);
int vfio_pci_intx_mask_action(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			      const struct vfio_irq_set *set, void *data);
int vfio_pci_intx_unmask_action(struct vfio_pci_core_device *vdev, struct vfio_op *op,
				const struct vfio_irq_set *set, void *data);
void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev);
void vfio_pci_intx_update(struct vfio_pci_core_device *vdev);

/* msi.c */
int vfio_pci_msi_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data);
void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev);

/* irq_events.c */
int vfio_pci_err_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data);
int vfio_pci_req_trigger(struct vfio_pci_core_device *vdev, struct vfio_op *op,
			 const struct vfio_irq_set *set, void *data);
void vfio_pci_events_close(struct vfio_pci_core_device *vdev);

/* reset.c, hot_reset.c */
bool vfio_pci_answers(struct pci_dev *pdev);
long vfio_pci_reset(struct vfio_pci_core_device *vdev);
int vfio_pci_function_reset(struct vfio_pci_core_device *vdev);
long vfio_pci_hot_reset_info(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_hot_reset_info __user *arg);
long vfio_pci_hot_reset(struct vfio_pci_core_device *vdev, struct vfio_pci_hot_reset __user *arg);
void vfio_pci_set_try_reset(struct vfio_pci_core_device *vdev);
int vfio_pci_join_set(struct vfio_pci_core_device *vdev);

/* power.c */
extern const struct dev_pm_ops vfio_pci_core_pm_ops;

/*
 * Whether @state is @least or deeper.  The type is bitwise, and sparse permits only equality on it.
 */
static inline bool vfio_pci_sleeps(pci_power_t state, pci_power_t least)
{
	return (__force int)state >= (__force int)least;
}

/* power_state.c */
void vfio_pci_note_power(struct vfio_pci_core_device *vdev);
int vfio_pci_set_power_state(struct vfio_pci_core_device *vdev, pci_power_t state);
void vfio_pci_power_probe(struct vfio_pci_core_device *vdev);
void vfio_pci_power_wake(struct vfio_pci_core_device *vdev);
int vfio_pci_feature_low_power_entry(struct vfio_pci_core_device *vdev, u32 flags,
				     void __user *arg, size_t argsz);
int vfio_pci_feature_low_power_wakeup(struct vfio_pci_core_device *vdev, u32 flags,
				      void __user *arg, size_t argsz);
int vfio_pci_feature_low_power_exit(struct vfio_pci_core_device *vdev, u32 flags,
				    void __user *arg, size_t argsz);

/* sriov.c */
int vfio_pci_sriov_init(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_exit(struct vfio_pci_core_device *vdev);
int vfio_pci_sriov_open(struct vfio_pci_core_device *vdev);
void vfio_pci_sriov_close(struct vfio_pci_core_device *vdev);
int vfio_pci_sriov_check_token(struct vfio_pci_core_device *vdev, const uuid_t *token);
int vfio_pci_feature_vf_token(struct vfio_pci_core_device *vdev, u32 flags, void __user *arg,
			      size_t argsz);

#endif
