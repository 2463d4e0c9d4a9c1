// SPDX-License-Identifier: GPL-2.0-only
/*
 * virqfds: a driver's function that runs whenever an eventfd is signalled.
 *
 * A struct virqfd waits on the eventfd's queue.  The driver owns a pointer to it, *pvirqfd, which
 * is set and cleared only under virqfd_lock: whoever clears it, vfio_virqfd_disable() or the
 * wake-up that sees the eventfd closed, queues the shutdown, so that runs once.  The shutdown
 * frees; its workqueue is the proof that it has: who must know flushes it.
 *
 * Lock order: the eventfd's queue lock > virqfd_lock.
 */
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/workqueue.h>

#include "vfio_private.h"

static struct workqueue_struct *virqfd_shutdowns;
static DEFINE_SPINLOCK(virqfd_lock);

/* Queue the shutdown; the caller has seen, under the lock, that nobody else did. */
static void virqfd_retire(struct virqfd *virqfd)
{
	lockdep_assert_held(&virqfd_lock);

	*virqfd->pvirqfd = NULL;
	queue_work(virqfd_shutdowns, &virqfd->shutdown);
}

static int virqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct virqfd *virqfd = container_of(wait, struct virqfd, wait);
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		/* Read it, so that the next signal is seen as one. */
		eventfd_ctx_do_read(virqfd->eventfd, &count);
		if ((!virqfd->handler || virqfd->handler(virqfd->opaque, virqfd->data)) &&
		    virqfd->thread)
			schedule_work(&virqfd->inject);
	}

	if (events & EPOLLHUP) {
		spin_lock_irqsave(&virqfd_lock, flags);
		if (*virqfd->pvirqfd == virqfd)
			virqfd_retire(virqfd);
		spin_unlock_irqrestore(&virqfd_lock, flags);
	}
	return 0;
}

static void virqfd_queue(struct file *file, wait_queue_head_t *queue, poll_table *pt)
{
	struct virqfd *virqfd = container_of(pt, struct virqfd, pt);

	add_wait_queue(queue, &virqfd->wait);
}

static void virqfd_shutdown(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, shutdown);
	u64 count;

	eventfd_ctx_remove_wait_queue(virqfd->eventfd, &virqfd->wait, &count);
	flush_work(&virqfd->inject);
	eventfd_ctx_put(virqfd->eventfd);
	kfree(virqfd);
}

static void virqfd_inject(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, inject);

	virqfd->thread(virqfd->opaque, virqfd->data);
}

static void virqfd_flush_inject(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, flush_inject);

	flush_work(&virqfd->inject);
}

/**
 * vfio_virqfd_enable() - call a function whenever an eventfd is signalled
 * @opaque: first argument of the functions
 * @handler: called with interrupts off; a result other than 0 makes @thread run; may be NULL
 * @thread: called from a worker; may be NULL
 * @data: second argument of the functions
 * @pvirqfd: where the driver keeps it; must be NULL there, and is again once the eventfd is closed
 * @fd: the eventfd
 *
 * Return: 0; -EBUSY if *@pvirqfd is in use; other errors.
 */
int vfio_virqfd_enable(void *opaque, int (*handler)(void *, void *),
		       void (*thread)(void *, void *), void *data,
		       struct virqfd **pvirqfd, int fd)
{
	struct eventfd_ctx *ctx;
	struct virqfd *virqfd;
	struct fd irqfd;
	__poll_t events;
	int ret;

	virqfd = kzalloc(sizeof(*virqfd), GFP_KERNEL_ACCOUNT);
	if (!virqfd)
		return -ENOMEM;
	virqfd->pvirqfd = pvirqfd;
	virqfd->opaque = opaque;
	virqfd->handler = handler;
	virqfd->thread = thread;
	virqfd->data = data;
	INIT_WORK(&virqfd->shutdown, virqfd_shutdown);
	INIT_WORK(&virqfd->inject, virqfd_inject);
	INIT_WORK(&virqfd->flush_inject, virqfd_flush_inject);
	init_waitqueue_func_entry(&virqfd->wait, virqfd_wakeup);
	init_poll_funcptr(&virqfd->pt, virqfd_queue);

	irqfd = fdget(fd);
	if (!fd_file(irqfd)) {
		ret = -EBADF;
		goto err_free;
	}
	ctx = eventfd_ctx_fileget(fd_file(irqfd));
	if (IS_ERR(ctx)) {
		ret = PTR_ERR(ctx);
		goto err_fd;
	}
	virqfd->eventfd = ctx;

	spin_lock_irq(&virqfd_lock);
	if (*pvirqfd) {
		spin_unlock_irq(&virqfd_lock);
		ret = -EBUSY;
		goto err_ctx;
	}
	*pvirqfd = virqfd;
	spin_unlock_irq(&virqfd_lock);

	/*
	 * Polling enters us into the queue.  The file is held until the end: its close, which
	 * retires us, cannot come in between.
	 */
	events = vfs_poll(fd_file(irqfd), &virqfd->pt);
	if (events & EPOLLIN) {
		/* It was signalled before. */
		if ((!handler || handler(opaque, data)) && thread)
			schedule_work(&virqfd->inject);
	}
	fdput(irqfd);
	return 0;

err_ctx:
	eventfd_ctx_put(ctx);
err_fd:
	fdput(irqfd);
err_free:
	kfree(virqfd);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_virqfd_enable);

/**
 * vfio_virqfd_disable() - undo vfio_virqfd_enable()
 * @pvirqfd: where the driver keeps it; may hold NULL
 *
 * When it returns, none of the functions runs or will.
 */
void vfio_virqfd_disable(struct virqfd **pvirqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd)
		virqfd_retire(*pvirqfd);
	spin_unlock_irqrestore(&virqfd_lock, flags);

	/* Also when the close of the eventfd retired it: the caller frees what @opaque is. */
	flush_workqueue(virqfd_shutdowns);
}
EXPORT_SYMBOL_GPL(vfio_virqfd_disable);

/**
 * vfio_virqfd_flush_thread() - wait for the thread function of a virqfd
 * @pvirqfd: where the driver keeps it; may hold NULL
 */
void vfio_virqfd_flush_thread(struct virqfd **pvirqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd && (*pvirqfd)->thread)
		queue_work(virqfd_shutdowns, &(*pvirqfd)->flush_inject);
	spin_unlock_irqrestore(&virqfd_lock, flags);

	/* The work runs from the queue of the shutdowns, so the virqfd is there until it has. */
	flush_workqueue(virqfd_shutdowns);
}
EXPORT_SYMBOL_GPL(vfio_virqfd_flush_thread);

/**
 * vfio_virqfd_init() - make the workqueue of the shutdowns
 *
 * Return: 0 or -ENOMEM.
 */
int __init vfio_virqfd_init(void)
{
	/* Ordered: a flush_inject that was queued before a shutdown is done before it. */
	virqfd_shutdowns = alloc_ordered_workqueue("vfio-virqfd", 0);
	return virqfd_shutdowns ? 0 : -ENOMEM;
}

/**
 * vfio_virqfd_exit() - undo vfio_virqfd_init()
 */
void vfio_virqfd_exit(void)
{
	destroy_workqueue(virqfd_shutdowns);
}
