"""How the control plane's tables came to be, one step after another; never edited afterwards."""
