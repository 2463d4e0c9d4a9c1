// SPDX-License-Identifier: GPL-2.0-only
/*
 * virqfds: functions of a driver that run whenever an eventfd is signalled.
 *
 * A struct virqfd waits on the eventfd's queue.  The driver owns a pointer to it, *pvirqfd, which
 * is set and cleared only under virqfd_lock.  Either vfio_virqfd_disable() clears it, or the
 * wake-up that sees the eventfd closed.  The one that clears it moves the virqfd to virqfds_dying
 * and queues the shutdown, which therefore runs once.  The shutdown removes the virqfd from that
 * list and frees it.
 *
 * A caller that needs the shutdown to be complete waits until no virqfd on the list has its
 * pvirqfd.  It thus waits only for its own virqfd: the functions of another user's device may be
 * waiting for that device.
 *
 * Lock order: the eventfd's queue lock > virqfd_lock.
 */
#include <linux/eventfd.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "vfio_private.h"

/**
 * struct virqfd_own - a struct virqfd, which the kernel defines, with the state of this file
 * @virqfd: the part that the driver sees
 * @item: in virqfds_dying, once it is retired
 * @flushers: callers that wait for its thread function and keep it from being freed
 */
struct virqfd_own {
	struct virqfd virqfd;
	struct list_head item;
	unsigned int flushers;
};

static struct workqueue_struct *virqfd_shutdowns;
static struct workqueue_struct *virqfd_threads;
static DEFINE_SPINLOCK(virqfd_lock);
static LIST_HEAD(virqfds_dying);
/* Woken when a virqfd is freed, and when a flusher leaves. */
static DECLARE_WAIT_QUEUE_HEAD(virqfds_changed);

static struct virqfd_own *to_own(struct virqfd *virqfd)
{
	return container_of(virqfd, struct virqfd_own, virqfd);
}

/*
 * Queues the shutdown.  The caller has checked, under the lock, that no other thread has done so.
 */
static void virqfd_retire(struct virqfd *virqfd)
{
	lockdep_assert_held(&virqfd_lock);

	*virqfd->pvirqfd = NULL;
	list_add(&to_own(virqfd)->item, &virqfds_dying);
	queue_work(virqfd_shutdowns, &virqfd->shutdown);
}

static bool virqfd_is_dying(struct virqfd **pvirqfd)
{
	struct virqfd_own *own;
	bool found = false;
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	list_for_each_entry(own, &virqfds_dying, item)
		found |= own->virqfd.pvirqfd == pvirqfd;
	spin_unlock_irqrestore(&virqfd_lock, flags);
	return found;
}

static bool virqfd_is_flushed(struct virqfd_own *own)
{
	unsigned long flags;
	bool flushed;

	spin_lock_irqsave(&virqfd_lock, flags);
	flushed = !own->flushers;
	spin_unlock_irqrestore(&virqfd_lock, flags);
	return flushed;
}

static int virqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct virqfd *virqfd = container_of(wait, struct virqfd, wait);
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	u64 count;

	if (events & EPOLLIN) {
		/* Reset the counter, so that the next signal triggers again. */
		eventfd_ctx_do_read(virqfd->eventfd, &count);
		if ((!virqfd->handler || virqfd->handler(virqfd->opaque, virqfd->data)) &&
		    virqfd->thread)
			queue_work(virqfd_threads, &virqfd->inject);
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
	struct virqfd_own *own = to_own(virqfd);
	u64 count;

	eventfd_ctx_remove_wait_queue(virqfd->eventfd, &virqfd->wait, &count);
	flush_work(&virqfd->inject);
	wait_event(virqfds_changed, virqfd_is_flushed(own));
	eventfd_ctx_put(virqfd->eventfd);

	spin_lock_irq(&virqfd_lock);
	list_del(&own->item);
	spin_unlock_irq(&virqfd_lock);
	wake_up_all(&virqfds_changed);
	kfree(own);
}

static void virqfd_inject(struct work_struct *work)
{
	struct virqfd *virqfd = container_of(work, struct virqfd, inject);

	virqfd->thread(virqfd->opaque, virqfd->data);
}

/**
 * vfio_virqfd_enable() - call a function whenever an eventfd is signalled
 * @opaque: first argument of the functions
 * @handler: called with interrupts off; a result other than 0 makes @thread run; may be NULL
 * @thread: called from a worker; may be NULL
 * @data: second argument of the functions
 * @pvirqfd: the driver's pointer to it; must be NULL, and becomes NULL again once the eventfd is
 *	closed
 * @fd: the eventfd
 *
 * Return: 0; -EBUSY if *@pvirqfd is in use; or another error.
 */
int vfio_virqfd_enable(void *opaque, int (*handler)(void *, void *),
		       void (*thread)(void *, void *), void *data,
		       struct virqfd **pvirqfd, int fd)
{
	struct eventfd_ctx *ctx;
	struct virqfd_own *own;
	struct virqfd *virqfd;
	struct fd irqfd;
	__poll_t events;
	int ret;

	own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	if (!own)
		return -ENOMEM;
	virqfd = &own->virqfd;
	virqfd->pvirqfd = pvirqfd;
	virqfd->opaque = opaque;
	virqfd->handler = handler;
	virqfd->thread = thread;
	virqfd->data = data;
	INIT_WORK(&virqfd->shutdown, virqfd_shutdown);
	INIT_WORK(&virqfd->inject, virqfd_inject);
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
	 * Polling adds the virqfd to the queue.  The file is held until then, so that its close,
	 * which retires the virqfd, cannot happen in between.
	 */
	events = vfs_poll(fd_file(irqfd), &virqfd->pt);
	if (events & EPOLLIN) {
		/* The eventfd was signalled before it was polled. */
		if ((!handler || handler(opaque, data)) && thread)
			queue_work(virqfd_threads, &virqfd->inject);
	}
	fdput(irqfd);
	return 0;

err_ctx:
	eventfd_ctx_put(ctx);
err_fd:
	fdput(irqfd);
err_free:
	kfree(own);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_virqfd_enable);

/**
 * vfio_virqfd_disable() - undo vfio_virqfd_enable()
 * @pvirqfd: the driver's pointer to it; may be NULL
 *
 * When it returns, none of the functions is running or will run.
 */
void vfio_virqfd_disable(struct virqfd **pvirqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd)
		virqfd_retire(*pvirqfd);
	spin_unlock_irqrestore(&virqfd_lock, flags);

	/*
	 * Wait also if the close of the eventfd retired it, because the caller is about to free
	 * @opaque.
	 */
	wait_event(virqfds_changed, !virqfd_is_dying(pvirqfd));
}
EXPORT_SYMBOL_GPL(vfio_virqfd_disable);

/**
 * vfio_virqfd_flush_thread() - wait for the thread function of a virqfd
 * @pvirqfd: the driver's pointer to it; may be NULL
 */
void vfio_virqfd_flush_thread(struct virqfd **pvirqfd)
{
	struct virqfd_own *own = NULL;
	unsigned long flags;

	spin_lock_irqsave(&virqfd_lock, flags);
	if (*pvirqfd && (*pvirqfd)->thread) {
		own = to_own(*pvirqfd);
		own->flushers++;
	}
	spin_unlock_irqrestore(&virqfd_lock, flags);
	if (!own)
		return;

	flush_work(&own->virqfd.inject);
	spin_lock_irqsave(&virqfd_lock, flags);
	own->flushers--;
	wake_up_all(&virqfds_changed);
	spin_unlock_irqrestore(&virqfd_lock, flags);
}
EXPORT_SYMBOL_GPL(vfio_virqfd_flush_thread);

/**
 * vfio_virqfd_init() - create the workqueues of the shutdowns and of the thread functions
 *
 * Return: 0 or -ENOMEM.
 */
int __init vfio_virqfd_init(void)
{
	/*
	 * Many works may wait at a time; those of one device must not use up the slots of
	 * another's.
	 */
	virqfd_shutdowns = alloc_workqueue("vfio-virqfd", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!virqfd_shutdowns)
		return -ENOMEM;
	virqfd_threads = alloc_workqueue("vfio-virqfd-thread", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!virqfd_threads) {
		destroy_workqueue(virqfd_shutdowns);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vfio_virqfd_exit() - undo vfio_virqfd_init()
 */
void vfio_virqfd_exit(void)
{
	destroy_workqueue(virqfd_shutdowns);
	destroy_workqueue(virqfd_threads);
}
