"""What the OpenMMLab tasks share: installation gaps, configs, ranks and the metered Runner."""
