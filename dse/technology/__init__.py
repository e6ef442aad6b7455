"""What a memory, a MAC or a word from a DRAM costs, by source. Knows nothing of architectures."""
