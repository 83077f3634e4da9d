def kvm_boots(image): return False
