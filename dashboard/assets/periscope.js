/* What only the browser knows: the colour scheme, the title, the place on a page, whether the server answers. */
(function () {
    "use strict";
    var root = document.documentElement;

    function scheme() {
        return root.getAttribute("data-mantine-color-scheme") === "dark" ? "dark" : "light";
    }

    // Figures are drawn by the server in one scheme; a switch of the scheme asks for them again.
    new MutationObserver(function () {
        if (window.dash_clientside && window.dash_clientside.set_props) {
            window.dash_clientside.set_props("scheme", {data: scheme()});
        }
    }).observe(root, {attributes: true, attributeFilter: ["data-mantine-color-scheme"]});

    // What is typed stays where it is: a reader whose session ended is told, and led back here after signing in.
    function signedOut(status) {
        var again = document.getElementById("sign-in-again");
        if (status === 401 && again) {
            again.href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
        }
        root.classList.toggle("is-out", status === 401);
    }

    // A page that cannot reach its server must not look alive.
    var fetched = window.fetch;
    window.fetch = function (resource) {
        var address = String(resource && resource.url ? resource.url : resource);
        var answer = fetched.apply(this, arguments);
        if (address.indexOf("_dash-update-component") >= 0) {
            answer.then(function (response) {
                root.classList.toggle("is-lost", response.status >= 502);
                signedOut(response.status);
            }, function () {
                root.classList.add("is-lost");
            });
        }
        return answer;
    };

    // An open menu closes when something else is pressed, when a page is chosen, and by Escape.
    function closeMenus(keep) {
        document.querySelectorAll("details.menu[open]").forEach(function (menu) {
            if (menu !== keep) { menu.open = false; }
        });
    }
    document.addEventListener("click", function (event) {
        var place = event.target.closest ? event.target : event.target.parentElement;
        closeMenus(place && !place.closest("a") ? place.closest("details.menu") : null);
    });
    document.addEventListener("keydown", function (event) {
        var open = document.querySelector("details.menu[open]");
        if (event.key === "Escape" && open) {
            open.open = false;
            open.querySelector("summary").focus();
        }
    });

    window.dash_clientside = Object.assign({}, window.dash_clientside, {
        periscope: {
            scheme: scheme,
            title: function (title) {
                if (title) { document.title = title; }
                return window.dash_clientside.no_update;
            },
            more: function (clicks, shown) {
                return (shown || "wide bar").replace(" is-open", "") + (clicks % 2 ? " is-open" : "");
            },
            scroll: function (body, hash) {
                var id = decodeURIComponent((hash || "").slice(1));
                window.requestAnimationFrame(function () {
                    var place = id && document.getElementById(id);
                    if (place) { place.scrollIntoView({block: "start"}); }
                });
                return window.dash_clientside.no_update;
            }
        }
    });
})();
