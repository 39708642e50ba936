/* The Log in the browser: the draft is kept on this device with every keystroke, steps need no server, and what a
   server says of a field stands beside it. Nothing here decides what may be recorded; the server does. */
(function () {
    "use strict";
    var KEY = "log-draft", LETTERS = "abcdefghijkmnpqrstuvwxyz23456789", STEPS = 5;
    var mounted = null, draft = null, words = {labels: {}, steps: {}, lists: {}, titles: {}, several: [], said: {}};
    var names = [], wrong = {};

    function api() { return window.dash_clientside; }
    function form() { return document.getElementById("log-form"); }
    function id(name) { return {type: "log-field", name: name}; }
    function today() {
        var now = new Date(), two = function (n) { return (n < 10 ? "0" : "") + n; };
        return now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
    }
    function fresh() {
        var random = new Uint8Array(8), text = "";
        window.crypto.getRandomValues(random);
        random.forEach(function (byte) { text += LETTERS[byte % LETTERS.length]; });
        var pilots = Object.keys(words.titles.pilot || {});
        var asked = new URLSearchParams(window.location.search).get("pilot");
        var pilot = pilots.indexOf(asked) >= 0 ? asked : pilots.length === 1 ? pilots[0] : "";
        return {fields: {id: today().replace(/-/g, "") + "-" + text, what: "held", pilot: pilot, date: today()}, base: null, step: 1};
    }
    function read(key) {
        try { return JSON.parse(window.localStorage.getItem(key)); } catch (e) { return null; }
    }
    function mine(one) {
        // Several people may sign in on one device; what another has begun is set aside until they are back.
        if (!one || one.who === undefined || one.who === words.who) { return one; }
        var own = KEY + "-of-" + words.who, found = sound(read(own));
        try {
            window.localStorage.setItem(KEY + "-of-" + one.who, JSON.stringify(one));
            window.localStorage.removeItem(own);
        } catch (e) { /* a full or forbidden storage */ }
        return found;
    }
    function sound(one) { return one && one.fields && typeof one.fields.id === "string" ? one : null; }
    function keep() {
        // The store hands the draft to the server; written here too, so that a keystroke survives a tab that closes now.
        draft.who = words.who;
        try { window.localStorage.setItem(KEY, JSON.stringify(draft)); } catch (e) { /* a full or forbidden storage */ }
        api().set_props(KEY, {data: JSON.parse(JSON.stringify(draft))});
        show();
    }
    function empty(name) {
        if (words.several.indexOf(name) >= 0) { return []; }
        return words.lists[name] || name === "date" || name === "first" || name === "last" ? null : "";
    }
    function filled(value) {
        return value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && !value.length);
    }
    function fill() {
        wrong = {};
        names.forEach(function (name) {
            var value = draft.fields[name];
            api().set_props(id(name), {value: filled(value) ? value : empty(name), error: null});
        });
        document.querySelectorAll("#log-form .log-fold").forEach(function (fold) {
            fold.open = names.some(function (name) { return filled(draft.fields[name]) && inside(fold, name); });
        });
        api().set_props("log-qr", {children: ""});
        keep();
    }
    function place(name) {
        var key = '{"name":"' + name + '","type":"log-field"}';
        return document.getElementById(key) || document.getElementById(key + "-label");
    }
    function inside(box, name) {
        var control = place(name);
        return control ? box.contains(control) : false;
    }
    function show() {
        var box = form();
        if (!box) { return; }
        box.setAttribute("data-step", draft.step);
        box.setAttribute("data-what", draft.fields.what || "held");
        box.toggleAttribute("data-correcting", draft.base !== null && draft.base > 0);
        box.querySelectorAll("[data-log-only]").forEach(function (part) {
            part.hidden = part.getAttribute("data-log-only").split(" ").indexOf(draft.fields.what) < 0;
        });
        var page = document.getElementById("log");
        if (page) { page.setAttribute("data-step", draft.step); }
        box.querySelectorAll("[data-log-step]").forEach(function (button) {
            var step = Number(button.getAttribute("data-log-step"));
            if (step === draft.step) { button.setAttribute("aria-current", "step"); } else { button.removeAttribute("aria-current"); }
            var bad = Object.keys(wrong).some(function (name) { return words.steps[name] === step; });
            button.classList.toggle("is-wrong", bad);
        });
        var kept = document.getElementById("log-kept");
        if (kept) { kept.textContent = words.said.draft || ""; }
        if (draft.step === STEPS) { review(); }
    }
    function said(name, value) {
        var titles = words.titles[words.lists[name]] || {};
        if (Array.isArray(value)) { return value.map(function (one) { return titles[one] || one; }).join(", "); }
        return titles[value] || String(value);
    }
    function review() {
        var box = document.getElementById("log-review");
        if (!box) { return; }
        var list = document.createElement("dl"), rows = 0;
        Object.keys(words.labels).forEach(function (name) {
            var value = draft.fields[name], control = place(name), hidden = control && control.closest("[data-log-only][hidden]");
            if (!filled(value) || hidden) { return; }
            var row = document.createElement("div"), term = document.createElement("dt"), detail = document.createElement("dd");
            term.textContent = words.labels[name];
            detail.textContent = said(name, value);
            row.append(term, detail);
            list.append(row);
            rows += 1;
        });
        box.replaceChildren(rows ? list : document.createTextNode(words.said.empty || ""));
    }
    function go(step) {
        draft.step = Math.min(STEPS, Math.max(1, step));
        keep();
        var box = form(), title = document.getElementById("log-step-" + draft.step);
        if (title) { title.focus({preventScroll: true}); }
        if (box && box.getBoundingClientRect().top < 0) { box.scrollIntoView({block: "start"}); }
    }
    function begin() { draft = Object.assign(fresh(), {parked: draft && draft.parked}); if (draft.parked) { draft = draft.parked; } fill(); }

    document.addEventListener("click", function (event) {
        var button = event.target.closest ? event.target.closest("button") : null;
        if (!button || !draft || !form()) { return; }
        if (button.hasAttribute("data-log-by")) {
            var name = button.getAttribute("data-log-name");
            var number = Math.max(0, (Number(draft.fields[name]) || 0) + Number(button.getAttribute("data-log-by")));
            api().set_props(id(name), {value: number || ""});
        } else if (button.hasAttribute("data-log-step")) {
            go(Number(button.getAttribute("data-log-step")));
        } else if (button.hasAttribute("data-log-go")) {
            go(draft.step + Number(button.getAttribute("data-log-go")));
        } else if (button.hasAttribute("data-log-list")) {
            document.querySelector(".log-side").scrollIntoView({block: "start"});
        }
    });

    window.dashMantineFunctions = Object.assign(window.dashMantineFunctions || {}, {
        periscopeLogOption: function (item, more) {
            var make = window.React.createElement;
            return make("span", {className: "log-option"},
                make("span", null, item.option.label), make("small", null, (more.help || {})[item.option.value] || ""));
        }
    });
    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        periscopeLog: {
            keep: function (values, ids, mount, stored, told) {
                var none = api().no_update;
                if (!mount || !ids) { return none; }
                names = ids.map(function (one) { return one.name; });
                if (mount !== mounted) {
                    // A new form is empty: it takes up what this device has kept.
                    mounted = mount;
                    words = told || words;
                    draft = mine(sound(read(KEY)) || sound(stored)) || fresh();
                    window.requestAnimationFrame(fill);
                    return none;
                }
                var changed = false;
                (api().callback_context.triggered || []).forEach(function (change) {
                    var at = change.prop_id.lastIndexOf("."), name;
                    try { name = JSON.parse(change.prop_id.slice(0, at)).name; } catch (e) { return; }
                    var value = change.value === undefined ? null : change.value;
                    if (JSON.stringify(draft.fields[name]) === JSON.stringify(value)) { return; }
                    if (!filled(value) && !filled(draft.fields[name])) { return; }
                    draft.fields[name] = value;
                    changed = true;
                    if (wrong[name]) { delete wrong[name]; api().set_props(id(name), {error: null}); }
                });
                if (changed && !Object.keys(wrong).length) { api().set_props("log-said", {children: ""}); }
                keep();
                return none;
            },
            answer: function (data) {
                if (!data || !draft) { return api().no_update; }
                if (data.saved) { begin(); return api().no_update; }
                wrong = data.errors || {};
                var first = STEPS + 1;
                names.forEach(function (name) {
                    api().set_props(id(name), {error: wrong[name] || null});
                    if (wrong[name]) { first = Math.min(first, words.steps[name] || 1); }
                });
                document.querySelectorAll("#log-form .log-fold").forEach(function (fold) {
                    if (Object.keys(wrong).some(function (name) { return inside(fold, name); })) { fold.open = true; }
                });
                if (first <= STEPS) { go(first); } else { show(); }
                return api().no_update;
            },
            load: function (data) {
                if (!data || !data.fields) { return api().no_update; }
                var typed = draft && draft.base === null && Object.keys(draft.fields).some(function (name) {
                    return ["id", "what", "pilot", "date"].indexOf(name) < 0 && filled(draft.fields[name]);
                });
                var same = draft && draft.fields.id === data.fields.id;
                draft = {fields: data.fields, base: data.base, step: 1,
                         parked: same ? draft.parked : typed ? draft : draft && draft.parked};
                fill();
                go(1);
                return api().no_update;
            }
        }
    });
})();
