// SPDX-License-Identifier: GPL-2.0-only
//
// The table of devices with the state of their translation.

import { h } from "./dom.js";
import { count, duration, size } from "./format.js";

const COLUMNS = [
	["Device", ""], ["State", ""], ["Process", ""], ["IOMMU", ""], ["Page table", ""],
	["Mapped", "number"], ["Pinned", "number"], ["Replaced", "number"],
];

function state(device) {
	return device.attached ? h("span", { class: "badge good" }, "attached") :
		h("span", { class: "badge warn" }, "bound, DMA blocked");
}

function cells(document, device) {
	const ctx = document.contexts.find((c) => c.ctx === device.ctx);
	const hwpt = document.hwpts.find((t) => t.ctx === device.ctx && t.hwpt === device.hwpt);
	const ioas = document.ioases.find((i) => i.ctx === device.ctx && i.ioas === device.ioas);
	const since = document.time_ns - device.last_replacement_time_ns;
	const last = !device.last_replacement_time_ns ? "" : since < 1.5e9 ? "just now" :
		`${duration(Math.round(since / 1e9) * 1e9).replace(".0", "")} ago`;

	return [
		[h("b", {}, device.device), device.driver ? h("span", { class: "sub" }, device.driver) : ""],
		[state(device)],
		ctx ? [ctx.process, h("span", { class: "sub" }, `pid ${ctx.pid}, ctx ${ctx.ctx}`)] : ["–"],
		[device.iommu_driver || "–",
		 h("span", { class: "sub" }, `${device.iommu ? `${device.iommu}, ` : ""}group ${device.group}`)],
		device.hwpt ? [`hwpt ${device.hwpt}`,
			       h("span", { class: "sub" }, `ioas ${device.ioas}${hwpt ? `, ${hwpt.domain_type}` : ""}`)] : ["–"],
		ioas ? [size(ioas.mapped_bytes), h("span", { class: "sub" }, `${count(ioas.areas)} areas`)] : ["–"],
		ioas ? [size(ioas.pinned_bytes), h("span", { class: "sub" }, `${count(ioas.extents)} extents`)] : ["–"],
		[count(device.replacements), last ? h("span", { class: "sub" }, last) : ""],
	];
}

export function devices(document) {
	if (!document.devices.length)
		return [h("tbody", { role: "rowgroup" }, h("tr", { role: "row" },
			h("td", { class: "empty", role: "cell" }, "No device is bound to an iommufd. " +
			  "Bind one to vfio-pci and start a program that uses it.")))];
	return [
		h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...COLUMNS.map(([name, kind]) =>
			h("th", { scope: "col", role: "columnheader", class: kind }, name)))),
		h("tbody", { role: "rowgroup" }, ...document.devices.map((device) =>
			h("tr", { role: "row", "data-key": `${device.ctx}/${device.device}` },
			  ...cells(document, device).map((content, i) =>
				h(i ? "td" : "th", { role: i ? "cell" : "rowheader", scope: i ? null : "row",
						     class: COLUMNS[i][1], "data-label": COLUMNS[i][0] },
				  h("span", { class: "content" }, ...content)))))),
	];
}
