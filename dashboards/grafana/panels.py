# SPDX-License-Identifier: GPL-2.0-only
"""The pieces of the dashboards: panels, variables, and their layout.

A panel is a dictionary in Grafana's format, except for its position. It has 'width' and 'height' in
a grid of 24 columns. layout() computes its position, from left to right and from top to bottom.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39

# What every selector begins with, so that a dashboard shows the hosts chosen and nothing else.
HOSTS = 'job=~"$job", instance=~"$host"'


def query(expr, legend=None, kind="time_series", instant=False):
    return {"datasource": DATASOURCE, "editorMode": "code", "expr": " ".join(expr.split()),
            "format": kind, "instant": instant, "legendFormat": legend or "__auto",
            "range": not instant}


def _panel(kind, title, description, queries, width, height, options, unit, custom=None, **defaults):
    targets = [dict(q, refId=chr(ord("A") + i)) for i, q in enumerate(queries)]
    field = {"unit": unit, **defaults}
    if custom is not None:
        field["custom"] = custom
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE,
            "targets": targets, "options": options, "width": width, "height": height,
            "fieldConfig": {"defaults": field, "overrides": []}}


def steps(*pairs):
    """Thresholds: pairs of a value and a colour, the first one without a value."""
    return {"mode": "absolute", "steps": [{"color": color, "value": value} for value, color in pairs]}


def lines(title, description, queries, unit="short", width=12, height=8, stacked=False, log=False,
          thresholds=None, **defaults):
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1,
              "fillOpacity": 40 if stacked else 8, "showPoints": "never", "spanNulls": False,
              "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
              "scaleDistribution": {"type": "log", "log": 10} if log else {"type": "linear"},
              "thresholdsStyle": {"mode": "dashed" if thresholds else "off"}}
    if thresholds:
        defaults["thresholds"] = thresholds
    options = {"legend": {"displayMode": "table", "placement": "bottom", "showLegend": True,
                          "calcs": ["lastNotNull", "max"]},
               "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", title, description, queries, width, height, options, unit, custom,
                  color={"mode": "palette-classic"}, **defaults)


def figure(title, description, expr, unit="short", thresholds=None, width=4, height=4, legend=None,
           **defaults):
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
               "colorMode": "value", "graphMode": "area", "justifyMode": "auto",
               "orientation": "auto", "textMode": "auto", "wideLayout": True,
               "showPercentChange": False}
    return _panel("stat", title, description, [query(expr, legend)], width, height, options, unit,
                  thresholds=thresholds or steps((None, "text")), color={"mode": "thresholds"},
                  **defaults)


def bars(title, description, queries, unit, thresholds, width=12, height=8, **defaults):
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
               "displayMode": "gradient", "orientation": "horizontal", "showUnfilled": True,
               "valueMode": "color", "namePlacement": "auto", "sizing": "auto",
               "minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 48}
    return _panel("bargauge", title, description, queries, width, height, options, unit,
                  thresholds=thresholds, color={"mode": "thresholds"}, **defaults)


def heatmap(title, description, expr, width=12, height=8):
    """A heat map of a histogram; expr gives its buckets by le."""
    options = {"calculate": False, "cellGap": 1, "cellValues": {},
               "color": {"mode": "scheme", "scheme": "Turbo", "scale": "exponential",
                         "exponent": 0.5, "steps": 64, "reverse": False, "fill": "dark-blue"},
               "exemplars": {"color": "rgba(255,0,255,0.7)"}, "filterValues": {"le": 1e-9},
               "legend": {"show": True}, "rowsFrame": {"layout": "auto"}, "showValue": "never",
               "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
               "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"}}
    custom = {"hideFrom": {"legend": False, "tooltip": False, "viz": False},
              "scaleDistribution": {"type": "linear"}}
    return _panel("heatmap", title, description, [query(expr, "{{le}}", "heatmap")], width, height,
                  options, "s", custom)


def states(title, description, expr, legend, mappings, width=24, height=7):
    options = {"alignValue": "left", "mergeValues": True, "rowHeight": 0.85, "showValue": "auto",
               "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True,
                          "calcs": []},
               "tooltip": {"mode": "single", "sort": "none"}}
    return _panel("state-timeline", title, description, [query(expr, legend)], width, height,
                  options, "short", {"lineWidth": 0, "fillOpacity": 75}, mappings=mappings,
                  color={"mode": "thresholds"}, thresholds=steps((None, "orange"), (1, "green")))


def table(title, description, queries, hidden, names, units, width=24, height=9):
    """One row for each series; queries are merged by their labels. units: {column: unit}."""
    panel = _panel("table", title, description,
                   [query(expr, kind="table", instant=True) for expr in queries], width, height,
                   {"showHeader": True, "cellHeight": "sm", "frameIndex": 0,
                    "footer": {"show": False, "reducer": ["sum"], "countRows": False,
                               "fields": []}},
                   "short", {"align": "auto", "cellOptions": {"type": "auto"},
                             "inspect": False, "filterable": True})
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {name: True for name in ("Time", "__name__", "job", *hidden)},
            "renameByName": names, "indexByName": {}}}]
    panel["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byName", "options": name},
         "properties": [{"id": "unit", "value": unit}]} for name, unit in units.items()]
    return panel


def repeated(panel, variable, most=3):
    """The panel once for each value of a variable."""
    return {**panel, "repeat": variable, "repeatDirection": "h", "maxPerRow": most}


def row(title, repeat=None):
    panel = {"type": "row", "title": title, "collapsed": False, "panels": [], "width": 24,
             "height": 1}
    if repeat:
        panel["repeat"] = repeat
    return panel


def labels(name, label, metric, key, include_all=True, value=None, all_value=".*"):
    """A variable with the values of a label; without an all_value, All is the list of them."""
    chosen = value or ("$__all" if include_all else "")
    variable = {"type": "query", "name": name, "label": label, "datasource": DATASOURCE,
                "query": {"query": f"label_values({metric}, {key})", "refId": name},
                "refresh": 2, "sort": 1, "multi": True, "includeAll": include_all, "hide": 0,
                "regex": "", "skipUrlSync": False, "options": [],
                "current": {"selected": True, "text": ["All" if chosen == "$__all" else chosen],
                            "value": [chosen]}}
    if include_all and all_value:
        variable["allValue"] = all_value
    return variable


def _variables(more):
    datasource = {"type": "datasource", "name": "datasource", "label": "Data source",
                  "query": "prometheus", "refresh": 1, "multi": False, "includeAll": False,
                  "hide": 0, "regex": "", "skipUrlSync": False, "options": [],
                  "current": {"selected": False, "text": "default", "value": "default"}}
    # the jobs that have an exporter: a selector of "up" must not find others
    job = labels("job", "Job", "iommufd_exporter_build_info", "job", all_value=None)
    host = labels("host", "Host", 'iommufd_exporter_build_info{job=~"$job"}', "instance")
    return [datasource, job, host, *more]


def layout(panels):
    """Give every panel its id and place."""
    placed, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        panel = dict(panel)
        width, height = panel.pop("width"), panel.pop("height")
        if x + width > 24 or panel["type"] == "row":
            x, y, tallest = 0, y + tallest, 0
        panel.update(id=number, gridPos={"x": x, "y": y, "w": width, "h": height})
        x, tallest = x + width, max(tallest, height)
        placed.append(panel)
    return placed


def dashboard(uid, title, description, variables, panels, span="now-1h"):
    links = [{"type": "dashboards", "tags": ["iommuscope"], "title": "iommuscope", "asDropdown": True,
              "includeVars": True, "keepTime": True, "targetBlank": False, "icon": "external link",
              "tooltip": "", "url": ""}]
    annotations = [{"name": "Exporter started", "enable": True, "hide": False, "iconColor": "blue",
                    "datasource": DATASOURCE, "type": "dashboard",
                    "target": {"refId": "start",
                               "expr": f"changes(iommufd_exporter_start_time_seconds{{{HOSTS}}}[1m]) > 0"},
                    }]
    return {"id": None, "uid": uid, "title": title, "description": description,
            "tags": ["iommuscope"], "timezone": "browser", "editable": True, "graphTooltip": 1,
            "schemaVersion": SCHEMA_VERSION, "version": 1, "refresh": "30s", "weekStart": "",
            "time": {"from": span, "to": "now"}, "timepicker": {}, "links": links,
            "annotations": {"list": annotations}, "templating": {"list": _variables(variables)},
            "panels": layout(panels)}
