"""Measurements. Each begins as the program does: `kb` keeps numpy's products to one thread."""

import kb as kb
