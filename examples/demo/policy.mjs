// What the page may load and do: its own scripts and WebAssembly, nothing from elsewhere, nothing inline. One text for the page's meta
// element and the server's header.

export const contentSecurityPolicy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "img-src 'self' blob:", "media-src 'self' blob:",
  "connect-src 'self'", "worker-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'",
].join('; ');
