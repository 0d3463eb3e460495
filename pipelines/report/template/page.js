// Shows one property at a time, draws its charts, and opens every table for the printer.
(() => {
  const properties = [...document.querySelectorAll(".property")];
  const choice = document.getElementById("property");

  const draw = (property) => {
    for (const box of property.querySelectorAll("[data-chart]:not(.drawn)")) {
      box.classList.add("drawn");
      const spec = JSON.parse(box.nextElementSibling.textContent);
      // Colours are CSS variables: the charts follow the colour scheme without being drawn anew.
      vegaEmbed(box, spec, { actions: false, renderer: "svg" }).then(
        (result) => { box.view = result.view; },
        (error) => { box.parentElement.classList.add("undrawn"); console.error(error); },
      );
    }
  };

  const show = (property) => {
    for (const one of properties) one.classList.toggle("shown", one === property);
    if (choice) choice.value = property.id;
    draw(property);
  };

  // The address names a property or one of its sections.
  const named = () => document.getElementById(location.hash.slice(1));

  const follow = () => {
    const target = named();
    const property = target && target.closest(".property");
    if (!property) return show(properties[0]);
    const isHidden = !property.classList.contains("shown");
    show(property);
    if (isHidden && target !== property) target.scrollIntoView();
  };

  if (choice) choice.addEventListener("change", () => { location.hash = choice.value; });
  addEventListener("hashchange", () => {
    // The skip link and the like name no property: what is shown stays.
    const target = named();
    if (target && target.closest(".property")) follow();
  });

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of closed) details.open = false; });
  follow();
})();
