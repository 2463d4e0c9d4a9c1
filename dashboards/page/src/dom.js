// SPDX-License-Identifier: GPL-2.0-only
//
// Elements, and the update of a section.
//
// Each reading rebuilds a section and compares it with the page. Only differences are applied, so
// the focus, the selection and the position of a screen reader stay.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "rect", "circle", "line", "g", "title", "defs", "pattern"]);

/* "on..." sets a listener, "style" an object of properties; other names set an attribute. */
export function h(tag, attributes, ...children) {
	const node = SVG_TAGS.has(tag) ? document.createElementNS(SVG, tag) :
		document.createElement(tag);

	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name === "style")
			Object.entries(value).forEach(([key, v]) => node.style.setProperty(key, v));
		else if (name.startsWith("on"))
			node[name] = value;
		else
			node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children.flat().filter((child) => child !== null && child !== undefined &&
					       child !== false));
	return node;
}

function sameKind(a, b) {
	return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
		(a.nodeType !== Node.ELEMENT_NODE ||
		 a.getAttribute("data-key") === b.getAttribute("data-key"));
}

function morphAttributes(old, fresh) {
	for (const { name } of [...old.attributes])
		if (!fresh.hasAttribute(name))
			old.removeAttribute(name);
	for (const { name, value } of fresh.attributes) {
		if (name === "style") {
			if (old.style.cssText !== fresh.style.cssText)
				old.style.cssText = fresh.style.cssText;
		} else if (old.getAttribute(name) !== value) {
			old.setAttribute(name, value);
		}
	}
	for (const listener of ["onclick", "onkeydown", "onfocus", "onchange"])
		if (fresh[listener] || old[listener])
			old[listener] = fresh[listener];
}

function morph(old, fresh) {
	if (old.nodeType !== Node.ELEMENT_NODE) {
		if (old.nodeValue !== fresh.nodeValue)
			old.nodeValue = fresh.nodeValue;
		return;
	}
	morphAttributes(old, fresh);
	morphChildren(old, [...fresh.childNodes]);
}

/* Elements with a data-key are recognised after they move. */
function morphChildren(parent, fresh) {
	const keyed = new Map();

	for (const child of parent.children)
		if (child.dataset.key)
			keyed.set(child.dataset.key, child);
	fresh.forEach((node, index) => {
		const key = node.dataset?.key;
		const there = key ? keyed.get(key) : undefined;
		let at = parent.childNodes[index];

		if (there && there !== at && sameKind(there, node)) {
			parent.insertBefore(there, at ?? null);
			at = there;
		}
		if (!at)
			parent.append(node);
		else if (sameKind(at, node))
			morph(at, node);
		else if (at.dataset?.key && fresh.some((f) => f.dataset?.key === at.dataset.key))
			parent.insertBefore(node, at);
		else
			at.replaceWith(node);
	});
	while (parent.childNodes.length > fresh.length)
		parent.lastChild.remove();
}

/* Bring the children of an element up to date. */
export function show(parent, ...children) {
	morphChildren(parent, children.flat().filter(Boolean)
		.map((child) => typeof child === "string" ? document.createTextNode(child) : child));
}

/* Set a text only where it differs, so that live regions speak once. */
export function text(node, value) {
	if (node.textContent !== value)
		node.textContent = value;
}
