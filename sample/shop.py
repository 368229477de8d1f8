from prices import total

if __name__ == "__main__":
    print(total(["tea", "bread"]))
