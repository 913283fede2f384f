// Starts Swagger UI on this server's own document. A file of its own, because the page's
// Content-Security-Policy runs no script that stands in the page.
"use strict";

const explorer = document.getElementById("explorer");

SwaggerUIBundle({
  // Absolute, so that the servers of the document are resolved against it and not against the page.
  url: new URL(explorer.dataset.spec, document.baseURI).href,
  domNode: explorer,
  layout: "BaseLayout",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  // Swagger UI would send the document to a validator on the Internet otherwise.
  validatorUrl: null,
});
