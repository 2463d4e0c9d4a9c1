// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of kernel_shim.h that are functions.
 */
#include "kernel_shim.h"

long shim_fail_after = -1;

void *shim_alloc(size_t size)
{
	if (shim_fail_after >= 0 && !shim_fail_after--)
		return NULL;
	return malloc(size);
}

static struct rb_node *leftmost(struct rb_node *node)
{
	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static struct rb_node *rightmost(struct rb_node *node)
{
	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return leftmost(root->rb_node);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return rightmost(root->rb_node);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right)
		return leftmost(node->rb_right);
	while (node->parent && node == node->parent->rb_right)
		node = node->parent;
	return node->parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	if (node->rb_left)
		return rightmost(node->rb_left);
	while (node->parent && node == node->parent->rb_left)
		node = node->parent;
	return node->parent;
}

void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent = parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

static void put_in_place_of(struct rb_root *root, struct rb_node *node, struct rb_node *by)
{
	if (!node->parent)
		root->rb_node = by;
	else if (node->parent->rb_left == node)
		node->parent->rb_left = by;
	else
		node->parent->rb_right = by;
	if (by)
		by->parent = node->parent;
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	struct rb_node *changed = node->parent;

	if (node->rb_left && node->rb_right) {
		struct rb_node *next = leftmost(node->rb_right);

		changed = next;
		if (next->parent != node) {
			changed = next->parent;
			put_in_place_of(root, next, next->rb_right);
			next->rb_right = node->rb_right;
			next->rb_right->parent = next;
		}
		put_in_place_of(root, node, next);
		next->rb_left = node->rb_left;
		next->rb_left->parent = next;
		augment->copy(node, next);
		augment->propagate(next, NULL);
	} else {
		put_in_place_of(root, node, node->rb_left ? node->rb_left : node->rb_right);
	}
	if (changed)
		augment->propagate(changed, NULL);
}
