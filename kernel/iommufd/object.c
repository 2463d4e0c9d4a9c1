// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects of a context: everything that user space knows by an id.
 *
 * A context's table maps ids to objects.  An id is reserved before its object is created, so that a
 * lookup never finds a half-made object, and filled in when the object is complete (finalize).  An
 * object leaves the table before it is destroyed.  Ids are allocated cyclically, so that a stale id
 * most likely finds nothing rather than another object.
 *
 * An object counts two kinds of users.  Short-term users looked it up and release it before their
 * call returns; a destroy waits for them.  Long-term users stay until another call ends them, such
 * as an attached device, or an HWPT on its IOAS; a destroy fails while there are any.  Both counts
 * include one for the table.
 *
 * A long-term use is only added by a thread that is a user already, and every decision on the end
 * of an object is made under the lock of the table.  A thread that sees no long-term user there,
 * takes the object out of the table, waits for the last short-term user, and then still sees no
 * long-term user, owns the object exclusively.
 */
#include <linux/slab.h>

#include "iommufd_private.h"

/**
 * __iommufd_object_alloc() - allocate an object and reserve its id
 * @ictx: the context
 * @size: size of the structure whose first member is the object
 * @ops: its type and its destructor
 *
 * The object is zeroed and cannot be looked up until iommufd_object_finalize().
 *
 * Return: the object, or an error pointer: -ENOMEM, or -EBUSY if all ids are taken.
 */
struct iommufd_object *__iommufd_object_alloc(struct iommufd_ctx *ictx, size_t size,
					      const struct iommufd_object_ops *ops)
{
	struct iommufd_object *obj;
	int rc;

	obj = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->ops = ops;
	obj->type = ops->type;
	refcount_set(&obj->short_users, 1);
	refcount_set(&obj->users, 1);

	rc = xa_alloc_cyclic(&ictx->objects, &obj->id, NULL, xa_limit_31b, &ictx->next_id,
			     GFP_KERNEL_ACCOUNT);
	if (rc < 0) {
		kfree(obj);
		return ERR_PTR(rc);
	}
	return obj;
}

/**
 * iommufd_object_finalize() - make a complete object visible to lookups
 * @ictx: the context
 * @obj: the object; from now on others may use and destroy it
 */
void iommufd_object_finalize(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	xa_lock(&ictx->objects);
	iommufd_object_finalize_locked(ictx, obj);
	xa_unlock(&ictx->objects);
}

/**
 * iommufd_object_finalize_locked() - iommufd_object_finalize() with the table's lock held
 * @ictx: the context
 * @obj: the object
 */
void iommufd_object_finalize_locked(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	/* The slot was reserved, so the store needs no memory and cannot fail. */
	WARN_ON(__xa_store(&ictx->objects, obj->id, obj, GFP_ATOMIC));
	WRITE_ONCE(ictx->nr_objects[obj->type], ictx->nr_objects[obj->type] + 1);
}

/**
 * iommufd_object_abort() - free an object that was not finalized
 * @ictx: the context
 * @obj: the object; its id and memory are freed, the caller undoes everything else
 */
void iommufd_object_abort(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	WARN_ON(xa_erase(&ictx->objects, obj->id));
	kfree(obj);
}

/**
 * __iommufd_object_get() - the lookup of iommufd_object_get()
 * @ictx: the context
 * @id: the id
 * @type: the required type, or IOMMUFD_OBJECT_ANY
 *
 * Return: the object or NULL.
 */
struct iommufd_object *__iommufd_object_get(struct iommufd_ctx *ictx, u32 id,
					    enum iommufd_object_type type)
{
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj) {
		if (type != IOMMUFD_OBJECT_ANY && type != obj->type)
			obj = NULL;
		else
			refcount_inc(&obj->short_users);
	}
	xa_unlock(&ictx->objects);
	return obj;
}

/**
 * iommufd_object_missing() - set the reason why iommufd_object_get() found nothing
 * @ictx: the context
 * @op: the operation
 * @id: the id
 *
 * Return: -ENOENT.
 */
int iommufd_object_missing(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 id)
{
	enum iommufd_object_type found = IOMMUFD_OBJECT_NONE;
	struct iommufd_object *obj;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (obj)
		found = obj->type;
	xa_unlock(&ictx->objects);
	if (obj)
		return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_wrong_object_type, id, found);
	return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_bad_object_id, id, 0);
}

/**
 * iommufd_object_get_next() - walk over the objects of a type
 * @ictx: the context
 * @id: id at which the search starts; out: id of the object
 * @type: the type
 *
 * Return: the first object of the type with that id or a higher one, for iommufd_object_put(), or
 * NULL.
 */
struct iommufd_object *iommufd_object_get_next(struct iommufd_ctx *ictx, u32 *id,
					       enum iommufd_object_type type)
{
	unsigned long index = *id;
	struct iommufd_object *obj;

	/* The lock is dropped at each object, so that a table of millions does not delay others. */
	for (;;) {
		xa_lock(&ictx->objects);
		obj = xa_find(&ictx->objects, &index, U32_MAX, XA_PRESENT);
		if (!obj || obj->type == type)
			break;
		xa_unlock(&ictx->objects);
		index++;
		cond_resched();
	}
	if (obj)
		refcount_inc(&obj->short_users);
	xa_unlock(&ictx->objects);
	*id = index;
	return obj;
}

/**
 * iommufd_object_try_get() - become a short-term user of an object known by its address
 * @ictx: the context
 * @obj: the object, whose memory the caller keeps from being freed
 *
 * Return: false if the object is not in the table: half-made or being destroyed.
 */
bool iommufd_object_try_get(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	bool found;

	xa_lock(&ictx->objects);
	found = xa_load(&ictx->objects, obj->id) == obj;
	if (found)
		refcount_inc(&obj->short_users);
	xa_unlock(&ictx->objects);
	return found;
}

/**
 * iommufd_object_put() - end a use that iommufd_object_get() started
 * @ictx: the context
 * @obj: the object
 */
void iommufd_object_put(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	/* The waiter may free the object as soon as the count is 0; the context outlives it. */
	if (refcount_dec_and_test(&obj->short_users))
		wake_up_all(&ictx->destroy_wait);
}

/**
 * iommufd_object_keep() - turn a short-term use into a long-term one
 * @ictx: the context
 * @obj: the object; the long-term use ends with iommufd_object_drop_users()
 */
void iommufd_object_keep(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	refcount_inc(&obj->users);
	iommufd_object_put(ictx, obj);
}

static bool is_published(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	return xa_load(&ictx->objects, obj->id) == obj;
}

/* Takes an object out of the table but keeps its id; ends the table's short-term use. */
static void unpublish(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	__xa_store(&ictx->objects, obj->id, XA_ZERO_ENTRY, GFP_ATOMIC);
	iommufd_object_put(ictx, obj);
}

static void republish(struct iommufd_ctx *ictx, struct iommufd_object *obj)
{
	lockdep_assert_held(&ictx->objects.xa_lock);
	/* Only this function raises the count from 0. */
	if (!refcount_inc_not_zero(&obj->short_users))
		refcount_set(&obj->short_users, 1);
	__xa_store(&ictx->objects, obj->id, obj, GFP_ATOMIC);
}

/*
 * Destroys an object that is in the table and has no long-term user.  Called with the table's lock,
 * which it drops.  Fails if a short-term user became a long-term one during the wait for them, or
 * if @killable and a signal killed the caller.
 */
static int destroy_and_unlock(struct iommufd_ctx *ictx, struct iommufd_op *op,
			      struct iommufd_object *obj, bool killable)
	__releases(&ictx->objects.xa_lock)
{
	unsigned int phase;
	int rc = 0;

	unpublish(ictx, obj);
	xa_unlock(&ictx->objects);

	phase = iommufd_op_enter(op, IOMMUFD_PHASE_wait);
	if (killable)
		rc = wait_event_killable(ictx->destroy_wait, !refcount_read(&obj->short_users));
	else
		wait_event(ictx->destroy_wait, !refcount_read(&obj->short_users));
	iommufd_op_phase(op, phase);

	xa_lock(&ictx->objects);
	if (rc)
		rc = iommufd_op_fail(op, -EINTR, IOMMUFD_REASON_interrupted, 0, 0);
	else if (refcount_read(&obj->users) > 1)
		rc = iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_object_busy, obj->id,
				     refcount_read(&obj->users) - 1);
	if (rc) {
		republish(ictx, obj);
		xa_unlock(&ictx->objects);
		return rc;
	}
	__xa_erase(&ictx->objects, obj->id);
	WRITE_ONCE(ictx->nr_objects[obj->type], ictx->nr_objects[obj->type] - 1);
	if (ictx->vfio_ioas && &ictx->vfio_ioas->obj == obj)
		ictx->vfio_ioas = NULL;
	xa_unlock(&ictx->objects);

	obj->ops->destroy(obj, op);
	kfree(obj);
	return 0;
}

/**
 * iommufd_object_destroy_id() - destroy an object on behalf of user space
 * @ictx: the context
 * @op: the operation; gets the reason bad_object_id, object_busy or interrupted
 * @id: the object's id
 *
 * Waits for short-term users.  During the wait the object cannot be looked up.
 *
 * Return: 0; -ENOENT; -EBUSY if the object has a long-term user; -EINTR.
 */
int iommufd_object_destroy_id(struct iommufd_ctx *ictx, struct iommufd_op *op, u32 id)
{
	struct iommufd_object *obj;
	unsigned int users;

	xa_lock(&ictx->objects);
	obj = xa_load(&ictx->objects, id);
	if (!obj) {
		xa_unlock(&ictx->objects);
		return iommufd_op_fail(op, -ENOENT, IOMMUFD_REASON_bad_object_id, id, 0);
	}
	op->object_type = obj->type;
	users = refcount_read(&obj->users);
	if (users > 1) {
		xa_unlock(&ictx->objects);
		return iommufd_op_fail(op, -EBUSY, IOMMUFD_REASON_object_busy, id, users - 1);
	}
	return destroy_and_unlock(ictx, op, obj, true);
}

/**
 * iommufd_object_drop_users() - end long-term uses
 * @ictx: the context
 * @op: the operation
 * @obj: the object, which the caller must not touch afterwards
 * @nr: number of uses that end
 * @destroy: destroy the object if they were the last ones
 */
void iommufd_object_drop_users(struct iommufd_ctx *ictx, struct iommufd_op *op,
			       struct iommufd_object *obj, unsigned int nr, bool destroy)
{
	xa_lock(&ictx->objects);
	WARN_ON(refcount_sub_and_test(nr, &obj->users));
	/*
	 * If it is not in the table, another destroy is waiting for its short-term users and
	 * continues.
	 */
	if (destroy && refcount_read(&obj->users) == 1 && is_published(ictx, obj))
		destroy_and_unlock(ictx, op, obj, false);
	else
		xa_unlock(&ictx->objects);
}

/**
 * iommufd_object_destroy_all() - destroy the remaining objects at the end of the context
 * @ictx: the context; nothing else uses it any more
 * @op: the operation
 *
 * An object is destroyed after its users: each pass destroys the objects without users.
 */
void iommufd_object_destroy_all(struct iommufd_ctx *ictx, struct iommufd_op *op)
{
	struct iommufd_object *obj;
	unsigned long index;
	bool progress = true;

	while (!xa_empty(&ictx->objects) && !WARN_ON(!progress)) {
		progress = false;
		xa_for_each(&ictx->objects, index, obj) {
			xa_lock(&ictx->objects);
			if (refcount_read(&obj->users) > 1) {
				xa_unlock(&ictx->objects);
				continue;
			}
			destroy_and_unlock(ictx, op, obj, false);
			progress = true;
			cond_resched();
		}
	}
}
