// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on demand, one of each kind that the debug kernels must find.
 *
 * Writing a name to /sys/kernel/debug/lab_faults triggers that fault; reading lists the names.
 * The lab's test of the debug kernels writes each name and expects the kernel to report the
 * fault. The faults really damage the kernel: discard the machine afterwards.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmdebug.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page_ref.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>
#include <linux/uaccess.h>

#define RACE_MS 5000

static DEFINE_MUTEX(first_lock);
static DEFINE_MUTEX(second_lock);
static DEFINE_SPINLOCK(spin);

/* Hidden from the compiler, which would otherwise reason about what follows. */
static noinline void *launder(void *p)
{
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static int use_after_free(void)
{
	char *p = launder(kmalloc(64, GFP_KERNEL));

	if (!p)
		return -ENOMEM;
	kfree(p);
	WRITE_ONCE(p[8], 1);
	return 0;
}

static int out_of_bounds(void)
{
	char *p = launder(kmalloc(64, GFP_KERNEL));
	size_t past = 64;

	if (!p)
		return -ENOMEM;
	OPTIMIZER_HIDE_VAR(past);
	WRITE_ONCE(p[past], 1);
	kfree(p);
	return 0;
}

static int double_free(void)
{
	void *p = launder(kmalloc(64, GFP_KERNEL));

	kfree(p);
	kfree(launder(p));
	return 0;
}

/* No thread hangs: a single thread takes both locks in either order. */
static int lock_inversion(void)
{
	mutex_lock(&first_lock);
	mutex_lock(&second_lock);
	mutex_unlock(&second_lock);
	mutex_unlock(&first_lock);

	mutex_lock(&second_lock);
	mutex_lock(&first_lock);
	mutex_unlock(&first_lock);
	mutex_unlock(&second_lock);
	return 0;
}

static int sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
	return 0;
}

static int rcu_misuse(void)
{
	static int __rcu *pointer;

	return rcu_dereference(pointer) ? -EBUSY : 0;
}

static int list_corruption(void)
{
	struct list_head head, *entry;

	entry = launder(kmalloc(sizeof(*entry), GFP_KERNEL));
	if (!entry)
		return -ENOMEM;
	INIT_LIST_HEAD(&head);
	list_add(entry, &head);
	head.next = &head;
	head.prev = &head;
	list_del(entry);
	kfree(entry);
	return 0;
}

static void never(struct timer_list *timer)
{
}

/* The kernel stops the timer after its report. */
static int object_lifetime(void)
{
	struct timer_list *timer = launder(kmalloc(sizeof(*timer), GFP_KERNEL));

	if (!timer)
		return -ENOMEM;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	kfree(timer);
	return 0;
}

static int refcount_underflow(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	return refcount_dec_and_test(&count) ? -EBUSY : 0;
}

static int shift_overflow(void)
{
	int value = 1, bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	value <<= bits;
	OPTIMIZER_HIDE_VAR(value);
	return 0;
}

static int array_index(void)
{
	static int table[4];
	int i = 5;

	OPTIMIZER_HIDE_VAR(i);
	/* cppcheck-suppress arrayIndexOutOfBounds; the fault */
	WRITE_ONCE(table[i % 4], table[i]);
	return 0;
}

static int leak(void)
{
	/* the only pointer to it is dropped */
	return launder(kmalloc(1000, GFP_KERNEL)) ? 0 : -ENOMEM;
}

/* Succeeds, unless the caller has requested a failure (fail-nth). */
static int allocate(void)
{
	void *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	kfree(p);
	return 0;
}

static unsigned long shared;

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		shared++;
		cond_resched();
	}
	return 0;
}

static int racing_threads(void)
{
	struct task_struct *other = kthread_run(racer, NULL, "lab-racer");
	unsigned long end = jiffies + msecs_to_jiffies(RACE_MS);

	if (IS_ERR(other))
		return PTR_ERR(other);
	while (time_before(jiffies, end)) {
		shared++;
		cond_resched();
	}
	kthread_stop(other);
	return 0;
}

static int vm_bug(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	/* the page has a reference */
	VM_BUG_ON_PAGE(page_ref_count(page), page);
	__free_page(page);
	return 0;
}

static const struct {
	const char *name;
	int (*make)(void);
} faults[] = {
	{ "rcu_misuse", rcu_misuse },
	{ "lock_inversion", lock_inversion },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "shift_overflow", shift_overflow },
	{ "array_index", array_index },
	{ "list_corruption", list_corruption },
	{ "object_lifetime", object_lifetime },
	{ "refcount_underflow", refcount_underflow },
	{ "use_after_free", use_after_free },
	{ "out_of_bounds", out_of_bounds },
	{ "double_free", double_free },
	{ "leak", leak },
	{ "allocate", allocate },
	{ "data_race", racing_threads },
	{ "vm_bug", vm_bug },
};

static ssize_t faults_write(struct file *file, const char __user *data, size_t count, loff_t *pos)
{
	char name[32] = "";
	int i, ret;

	if (!count || count >= sizeof(name) || copy_from_user(name, data, count))
		return -EINVAL;
	strim(name);
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(name, faults[i].name))
			continue;
		ret = faults[i].make();
		return ret ? ret : count;
	}
	return -ENOENT;
}

static int faults_show(struct seq_file *seq, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++)
		seq_printf(seq, "%s\n", faults[i].name);
	return 0;
}

static int faults_open(struct inode *inode, struct file *file)
{
	return single_open(file, faults_show, NULL);
}

static const struct file_operations faults_fops = {
	.owner = THIS_MODULE,
	.open = faults_open,
	.read = seq_read,
	.write = faults_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *entry;

static int __init faults_init(void)
{
	entry = debugfs_create_file("lab_faults", 0600, NULL, NULL, &faults_fops);
	return PTR_ERR_OR_ZERO(entry);
}

static void __exit faults_exit(void)
{
	debugfs_remove(entry);
}

module_init(faults_init);
module_exit(faults_exit);

MODULE_DESCRIPTION("Faults for the debug kernels of the lab to find");
MODULE_LICENSE("GPL");
