"""What the user describes: architectures, problems, mappings, mapspaces, templates, networks and studies."""
